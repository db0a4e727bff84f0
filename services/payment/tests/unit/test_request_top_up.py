"""What a top-up is refused for before any provider is asked."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import WalletNotActiveError, WalletNotFoundError
from payment.domain.ledger import AmountNotPositiveError
from payment.domain.outcome import BalanceLimitError, TransactionLimitError
from payment.domain.top_up import CardNumberRefusedError, TopUpState
from payment.usecases.request_top_up import RequestTopUp, request_top_up
from payment_testing.fakes import FakePayment


@pytest.fixture
def payment():
    return FakePayment()


def asked_by(person, amount_minor=500, **more):
    command = RequestTopUp(
        user_id=person, amount_minor=amount_minor, currency="THB", provider="sandbox", payment_token="tok"
    )
    return replace(command, **more)


async def test_it_waits_for_the_job_with_its_timer_at_once(payment):
    top_up = await request_top_up(asked_by(await payment.person()), payment.tx)
    assert (top_up.state, top_up.attempts, top_up.created_at) == (TopUpState.CREATED, 0, payment.clock.now())
    assert await payment.top_ups.due(payment.clock.now(), count=10) == [top_up.id]


@pytest.mark.parametrize(
    ("wallet", "more", "refusal"),
    [
        ({}, {"amount_minor": 0}, AmountNotPositiveError),
        ({}, {"payment_token": "4242424242424242"}, CardNumberRefusedError),
        ({}, {"currency": "USD"}, WalletNotFoundError),
        ({}, {"user_id": uuid4()}, WalletNotFoundError),
        ({"status": "suspended"}, {}, WalletNotActiveError),
        ({"transaction_max_minor": 499}, {}, TransactionLimitError),
        ({"balance_max_minor": 499}, {}, BalanceLimitError),
        ({"balance_minor": 1, "balance_max_minor": 500}, {}, BalanceLimitError),
        ({"balance_minor": AMOUNT_MINOR_MAX - 499}, {}, BalanceLimitError),
    ],
)
async def test_refused(payment, wallet, more, refusal):
    with pytest.raises(refusal):
        await request_top_up(asked_by(await payment.person(**wallet), **more), payment.tx)
    assert payment.top_ups.top_ups == {}


@pytest.mark.parametrize(
    "wallet",
    [
        {"transaction_max_minor": 500},
        {"balance_max_minor": 500},
        {"balance_minor": AMOUNT_MINOR_MAX - 500},
    ],
)
async def test_control_the_greatest_amount_that_is_taken(payment, wallet):
    assert await request_top_up(asked_by(await payment.person(**wallet)), payment.tx)


async def test_open_top_ups_count_against_the_balance_limit(payment):
    person = await payment.person(balance_max_minor=999)
    await request_top_up(asked_by(person), payment.tx)
    with pytest.raises(BalanceLimitError):
        await request_top_up(asked_by(person), payment.tx)
