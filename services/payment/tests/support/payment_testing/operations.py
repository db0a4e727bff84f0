"""Operations of the ledger with the fields that a test does not care about filled in."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from kernel.ids import uuid7
from payment.domain.accounts import wallet_id
from payment.domain.ids import CheckoutId, HoldId, OrderId, TransferId, UserId
from payment.domain.ledger import Authorize, Capture, ChargeWallet, ReturnCharge, Settle, Share, Transfer, Void
from payment_testing.people import NOON


def transfer(
    sender: UserId, recipient: UserId, amount_minor: int, *, op_id: TransferId | None = None, currency: str = "THB"
) -> Transfer:
    return Transfer(
        op_id=op_id or TransferId(uuid7()),
        sender_id=sender,
        recipient_id=recipient,
        sender_wallet_id=wallet_id(sender, currency),
        recipient_wallet_id=wallet_id(recipient, currency),
        amount_minor=amount_minor,
        currency=currency,
        note="lunch",
        request_hash=UUID(int=amount_minor),
    )


def authorize(
    user: UserId,
    amount_minor: int,
    *,
    hold_id: HoldId | None = None,
    expires_at: datetime | None = None,
    currency: str = "THB",
) -> Authorize:
    hold = hold_id or HoldId(uuid4())
    return Authorize(
        hold_id=hold,
        checkout_id=CheckoutId(hold),
        user_id=user,
        wallet_id=wallet_id(user, currency),
        amount_minor=amount_minor,
        currency=currency,
        expires_at=expires_at or NOON + timedelta(minutes=15),
    )


def charge(user: UserId, amount_minor: int, *, hold_id: HoldId | None = None, currency: str = "THB") -> ChargeWallet:
    hold = hold_id or HoldId(uuid4())
    return ChargeWallet(
        hold_id=hold,
        checkout_id=CheckoutId(hold),
        user_id=user,
        wallet_id=wallet_id(user, currency),
        amount_minor=amount_minor,
        currency=currency,
    )


def give_back(hold_id: HoldId) -> ReturnCharge:
    return ReturnCharge(hold_id=hold_id, checkout_id=CheckoutId(hold_id))


def capture(hold_id: HoldId, amount_minor: int) -> Capture:
    return Capture(hold_id=hold_id, amount_minor=amount_minor, currency="THB")


def void(hold_id: HoldId) -> Void:
    return Void(hold_id=hold_id, checkout_id=CheckoutId(hold_id))


def settle(hold_id: HoldId, *amounts_minor: int, seller: UserId) -> Settle:
    return Settle(
        hold_id=hold_id,
        currency="THB",
        shares=[Share(order_id=OrderId(uuid4()), seller_id=seller, amount_minor=amount) for amount in amounts_minor],
    )
