"""Commands become operations, or are refused with a stable code before the ledger sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from kernel.errors import DomainError
from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import wallet_id
from payment.domain.ledger import Authorize, Capture, ChargeWallet, ReturnCharge, Settle, Void
from payment.entrypoints.consumers.commands import operation_of
from sampan.payment.v1.commands_pb2 import (
    AuthorizePayment,
    CapturePayment,
    PayOrder,
    ReturnPayment,
    SellerShare,
    SettlePayment,
    VoidPayment,
)
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.types.v1.money_pb2 import Money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USER, HOLD, CHECKOUT = uuid4(), uuid4(), uuid4()


def authorize(**changes):
    fields = {
        "checkout_id": str(CHECKOUT),
        "hold_id": str(HOLD),
        "user_id": str(USER),
        "amount": Money(amount_minor=100, currency="THB"),
        "hold_s": 60,
    }
    return AuthorizePayment(**{**fields, **changes})


def pay(**changes):
    fields = {
        "checkout_id": str(CHECKOUT),
        "hold_id": str(HOLD),
        "user_id": str(USER),
        "amount": Money(amount_minor=100, currency="THB"),
    }
    return PayOrder(**{**fields, **changes})


def share(amount_minor=50, currency="THB", order=None):
    return SellerShare(
        order_id=str(order or uuid4()),
        seller_id=str(USER),
        amount=Money(amount_minor=amount_minor, currency=currency),
    )


def capture(amount_minor):
    return CapturePayment(hold_id=str(HOLD), amount=Money(amount_minor=amount_minor, currency="THB"))


def request(amount_minor, note=""):
    return RequestTransfer(
        transfer_id=str(uuid4()),
        sender_id=str(USER),
        recipient_id=str(uuid4()),
        amount=Money(amount_minor=amount_minor, currency="THB"),
        note=note,
    )


def test_authorize_finds_the_wallet_by_user_and_currency():
    op = operation_of(authorize(), NOW)
    assert isinstance(op, Authorize)
    assert op.wallet_id == wallet_id(USER, "THB")
    assert op.expires_at == NOW + timedelta(seconds=60)
    assert operation_of(authorize(wallet_id=str(wallet_id(USER, "THB"))), NOW).wallet_id == op.wallet_id


def test_an_order_is_paid_from_the_buyers_wallet_of_the_currency():
    wallet = wallet_id(USER, "THB")
    charge = ChargeWallet(
        hold_id=HOLD, checkout_id=CHECKOUT, user_id=USER, wallet_id=wallet, amount_minor=100, currency="THB"
    )
    assert operation_of(pay(), NOW) == charge
    assert operation_of(pay(wallet_id=str(wallet)), NOW) == charge


def test_the_others_translate():
    assert operation_of(
        CapturePayment(hold_id=str(HOLD), amount=Money(amount_minor=7, currency="VND")), NOW
    ) == Capture(hold_id=HOLD, amount_minor=7, currency="VND")
    assert operation_of(VoidPayment(hold_id=str(HOLD), checkout_id=str(CHECKOUT)), NOW) == Void(
        hold_id=HOLD, checkout_id=CHECKOUT
    )
    assert operation_of(
        ReturnPayment(hold_id=str(HOLD), checkout_id=str(CHECKOUT), reason_code="commerce.shop.closed"), NOW
    ) == ReturnCharge(hold_id=HOLD, checkout_id=CHECKOUT, reason_code="commerce.shop.closed")
    settle = operation_of(SettlePayment(hold_id=str(HOLD), shares=[share(10), share(20)]), NOW)
    assert isinstance(settle, Settle)
    assert [each.amount_minor for each in settle.shares] == [10, 20]


ORDER = uuid4()


@pytest.mark.parametrize("amount_minor", [1, AMOUNT_MINOR_MAX])
def test_the_least_and_the_greatest_amount_are_taken_everywhere(amount_minor):
    money = Money(amount_minor=amount_minor, currency="THB")
    for body in (authorize(amount=money), pay(amount=money), capture(amount_minor), request(amount_minor)):
        assert operation_of(body, NOW).amount_minor == amount_minor
    settle = operation_of(SettlePayment(hold_id=str(HOLD), shares=[share(amount_minor)]), NOW)
    assert [each.amount_minor for each in settle.shares] == [amount_minor]


def test_a_share_of_nothing_beside_others_is_settled_with_them():
    settle = operation_of(SettlePayment(hold_id=str(HOLD), shares=[share(0), share(7), share(0)]), NOW)
    assert [each.amount_minor for each in settle.shares] == [0, 7, 0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (authorize(amount=Money(amount_minor=0, currency="THB")), "payment.amount.not_positive"),
        (authorize(amount=Money(amount_minor=-5, currency="THB")), "payment.amount.not_positive"),
        (authorize(amount=Money(amount_minor=AMOUNT_MINOR_MAX + 1, currency="THB")), "payment.amount.too_large"),
        (authorize(amount=Money(amount_minor=2**63 - 1, currency="THB")), "payment.amount.too_large"),
        (pay(amount=Money(amount_minor=0, currency="THB")), "payment.amount.not_positive"),
        (pay(amount=Money(amount_minor=AMOUNT_MINOR_MAX + 1, currency="THB")), "payment.amount.too_large"),
        (pay(amount=Money(amount_minor=5, currency="EUR")), "payment.command.invalid"),
        (pay(hold_id="nonsense"), "payment.command.invalid"),
        (pay(wallet_id=str(uuid4())), "payment.wallet.not_found"),
        (ReturnPayment(hold_id=str(HOLD)), "payment.command.invalid"),
        (capture(0), "payment.amount.not_positive"),
        (capture(-1), "payment.amount.not_positive"),
        (capture(AMOUNT_MINOR_MAX + 1), "payment.amount.too_large"),
        (request(0), "payment.amount.not_positive"),
        (request(AMOUNT_MINOR_MAX + 1), "payment.amount.too_large"),
        (request(1, note="a NUL \x00"), "payment.command.invalid"),
        (request(1, note="n" * 201), "payment.command.invalid"),
        (SettlePayment(hold_id=str(HOLD), shares=[share(0), share(0)]), "payment.hold.shares_mismatch"),
        (SettlePayment(hold_id=str(HOLD), shares=[share(2), share(-1)]), "payment.amount.not_positive"),
        (SettlePayment(hold_id=str(HOLD), shares=[share(AMOUNT_MINOR_MAX + 1)]), "payment.amount.too_large"),
        (authorize(amount=Money(amount_minor=5, currency="EUR")), "payment.command.invalid"),
        (authorize(hold_id="nonsense"), "payment.command.invalid"),
        (authorize(hold_s=-1), "payment.command.invalid"),
        (authorize(hold_s=10**8), "payment.command.invalid"),
        (authorize(wallet_id=str(uuid4())), "payment.wallet.not_found"),
        (SettlePayment(hold_id=str(HOLD)), "payment.hold.shares_mismatch"),
        (
            SettlePayment(hold_id=str(HOLD), shares=[share(), share(currency="USD")]),
            "payment.hold.shares_mismatch",
        ),
        (
            SettlePayment(hold_id=str(HOLD), shares=[share(order=ORDER), share(order=ORDER)]),
            "payment.hold.shares_mismatch",
        ),
        (VoidPayment(hold_id=str(HOLD)), "payment.command.invalid"),
    ],
)
def test_what_is_refused(body, code):
    with pytest.raises(DomainError) as refused:
        operation_of(body, NOW)
    assert refused.value.code == code
