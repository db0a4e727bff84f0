"""What is told of money that is taken at once: the capture alone, its return once, and nothing of a tombstone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from kernel.clock import FixedClock
from payment.adapters.events import Events
from payment.domain.accounts import wallet_id
from payment.domain.ids import CheckoutId, HoldId, UserId
from payment.domain.ledger import ChargeWallet, Op, ReturnCharge
from payment.domain.outcome import Answer, HoldFacts, Outcome

NOW = datetime(2026, 11, 29, tzinfo=UTC)
BUYER, HOLD, CHECKOUT = UserId(uuid4()), HoldId(uuid4()), CheckoutId(uuid4())
WALLET = wallet_id(BUYER, "THB")
CHARGE = ChargeWallet(
    hold_id=HOLD, checkout_id=CHECKOUT, user_id=BUYER, wallet_id=WALLET, amount_minor=25_000, currency="THB"
)
RETURN = ReturnCharge(hold_id=HOLD, checkout_id=CHECKOUT, reason_code="commerce.shop.closed")
CHARGED = HoldFacts(
    hold_id=HOLD, checkout_id=CHECKOUT, user_id=BUYER, account_id=WALLET, amount_minor=25_000, currency="THB"
)
TOMBSTONE = HoldFacts(hold_id=HOLD, checkout_id=CHECKOUT)


class FakeOutbox:
    def __init__(self) -> None:
        self.records: list[tuple[Any, int]] = []

    def add(self, body: Any, *, aggregate_version: int) -> None:
        self.records.append((body, aggregate_version))


def told(op: Op, outcome: Outcome, facts: HoldFacts, *, version: int) -> list[tuple[Any, int]]:
    outbox = FakeOutbox()
    events = Events(outbox, FixedClock(NOW))  # type: ignore[arg-type]
    events.operation_done(op, Answer(outcome, version, NOW, facts))
    return outbox.records


def test_a_charge_is_told_as_captured_and_as_nothing_else() -> None:
    [(body, version)] = told(CHARGE, Outcome.DONE, CHARGED, version=1)
    assert (type(body).__name__, version) == ("PaymentCaptured", 1)
    assert (body.hold_id, body.checkout_id, body.user_id, body.wallet_id) == tuple(
        map(str, (HOLD, CHECKOUT, BUYER, WALLET))
    )
    assert (body.amount.amount_minor, body.amount.currency) == (25_000, "THB")
    assert body.at.ToDatetime(UTC) == NOW


def test_a_return_says_what_came_back_and_why() -> None:
    [(body, version)] = told(RETURN, Outcome.DONE, CHARGED, version=2)
    assert (type(body).__name__, version) == ("PaymentReturned", 2)
    assert (body.hold_id, body.checkout_id, body.user_id, body.wallet_id) == tuple(
        map(str, (HOLD, CHECKOUT, BUYER, WALLET))
    )
    assert (body.amount.amount_minor, body.reason_code) == (25_000, "commerce.shop.closed")


@pytest.mark.parametrize(
    ("op", "outcome", "facts"),
    [
        (RETURN, Outcome.DONE, TOMBSTONE),
        (RETURN, Outcome.DONE_BEFORE, CHARGED),
        (CHARGE, Outcome.DONE_BEFORE, CHARGED),
        (CHARGE, Outcome.HOLD_WRONG_STATE, TOMBSTONE),
        (CHARGE, Outcome.INSUFFICIENT_FUNDS, CHARGED),
    ],
    ids=["a tombstone", "returned before", "charged before", "after its return", "without money"],
)
def test_nothing_is_told(op: Op, outcome: Outcome, facts: HoldFacts) -> None:
    assert told(op, outcome, facts, version=1) == []
