"""A transfer is made of its sender and key, so that a repeat is the same transfer."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from payment.domain.accounts import wallet_id
from payment.domain.ledger import AmountNotPositiveError, TransferToSelfError
from payment.domain.outcome import InsufficientFundsError, Outcome
from payment.usecases.send_money import SendMoney, send_money
from payment_testing.fakes import FakePayment

COMMAND = SendMoney(
    sender_id=uuid4(),
    recipient_id=uuid4(),
    amount_minor=100,
    currency="THB",
    note="lunch",
    idempotency_key="k",
    request_body=b"{}",
)


@pytest.fixture
def ledger():
    return FakePayment().ledger


async def test_the_same_sender_and_key_make_the_same_transfer(ledger):
    first = await send_money(COMMAND, ledger)
    ledger.outcome = Outcome.DONE_BEFORE
    again = await send_money(COMMAND, ledger)
    assert (first.transfer_id, first.replayed, again.replayed) == (again.transfer_id, False, True)
    assert first.sender_wallet_id == wallet_id(COMMAND.sender_id, "THB")
    for other in (replace(COMMAND, idempotency_key="l"), replace(COMMAND, sender_id=uuid4())):
        assert (await send_money(other, ledger)).transfer_id != first.transfer_id


async def test_another_request_under_the_key_has_another_hash(ledger):
    await send_money(COMMAND, ledger)
    await send_money(replace(COMMAND, request_body=b"[]"), ledger)
    one, other = ledger.applied
    assert one.op_id == other.op_id
    assert one.request_hash != other.request_hash


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (replace(COMMAND, recipient_id=COMMAND.sender_id), TransferToSelfError),
        (replace(COMMAND, amount_minor=0), AmountNotPositiveError),
    ],
)
async def test_what_never_reaches_the_ledger(ledger, command, refusal):
    with pytest.raises(refusal):
        await send_money(command, ledger)
    assert ledger.applied == []


async def test_what_the_ledger_refuses_is_raised(ledger):
    ledger.outcome = Outcome.INSUFFICIENT_FUNDS
    with pytest.raises(InsufficientFundsError):
        await send_money(COMMAND, ledger)
