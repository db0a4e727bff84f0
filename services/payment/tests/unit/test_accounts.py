"""Account ids follow from what the account is."""

from __future__ import annotations

from uuid import uuid4

from payment.domain.accounts import PURCHASE_CLEARING, SELLER_PENDING, system_account, wallet_id


def test_one_wallet_per_user_and_currency():
    user, other = uuid4(), uuid4()
    assert wallet_id(user, "THB") == wallet_id(user, "THB")
    assert len({wallet_id(user, "THB"), wallet_id(user, "USD"), wallet_id(other, "THB")}) == 3


def test_system_accounts_differ_by_kind_currency_slot_name_and_seller():
    seller = uuid4()
    made = [
        system_account(PURCHASE_CLEARING, "THB", 0),
        system_account(PURCHASE_CLEARING, "THB", 1),
        system_account(PURCHASE_CLEARING, "USD", 0),
        system_account(PURCHASE_CLEARING, "THB", 0, name="x"),
        system_account(SELLER_PENDING, "THB", 0, user_id=seller),
        system_account(SELLER_PENDING, "THB", 0, user_id=uuid4()),
    ]
    assert len({account.id for account in made}) == len(made)
    assert (made[4].kind, made[4].user_id) == (SELLER_PENDING, seller)
