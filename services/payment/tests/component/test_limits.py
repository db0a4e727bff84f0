"""Limits: dated rows by country, tier and kind, in the payer's own days and months; a void gives them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from payment.adapters.ledger import Ledger
from payment.domain.ledger import Outcome
from payment.testing import NOON, add_person, authorize, capture, give, transfer, void

ledger = Ledger(slot=0)
KINDS = {"transaction": 100, "daily": 200, "monthly": 500, "rolling_12_months": 900, "balance": 5_000}


@pytest.fixture
async def payer(conn):
    """Tier 1 in Thailand with small round limits from 2020 on."""
    await conn.execute("DELETE FROM tier_limit WHERE country = 'TH' AND kyc_tier = 1 AND currency = 'THB'")
    for kind, amount in KINDS.items():
        await limit(conn, kind, amount, since=datetime(2020, 1, 1, tzinfo=UTC))
    person = await add_person(conn, tier=1)
    await give(conn, person, 4_000)
    return person


@pytest.fixture
async def shop(conn):
    return await add_person(conn, tier=3)


async def limit(conn, kind, amount, *, since, until=None):
    await conn.execute(
        "INSERT INTO tier_limit VALUES ('TH', 1, 'THB', $1, $2, coalesce($3, 'infinity'::timestamptz), $4)",
        kind,
        since,
        until,
        amount,
    )


async def spend(conn, payer, shop, *amounts, now=NOON):
    ops = [transfer(payer, shop, amount) for amount in amounts]
    return [answer.outcome for answer in await ledger.execute(conn, ops, now=now)]


async def test_each_kind_refuses_with_its_own_reason(conn, payer, shop):
    assert await spend(conn, payer, shop, 101) == [Outcome.LIMIT_TRANSACTION]
    assert await spend(conn, payer, shop, 100, 100, 1) == [Outcome.DONE, Outcome.DONE, Outcome.LIMIT_DAILY]
    assert await spend(conn, payer, shop, 100, 100, now=NOON + timedelta(days=1)) == [Outcome.DONE] * 2
    assert await spend(conn, payer, shop, 100, 1, now=NOON + timedelta(days=2)) == [
        Outcome.DONE,
        Outcome.LIMIT_MONTHLY,
    ]
    next_month = NOON + timedelta(days=30)
    assert await spend(conn, payer, shop, 100, 100, now=next_month) == [Outcome.DONE] * 2
    assert await spend(conn, payer, shop, 100, 100, now=next_month + timedelta(days=1)) == [Outcome.DONE] * 2
    assert await spend(conn, payer, shop, 1, now=next_month + timedelta(days=2)) == [Outcome.LIMIT_ROLLING]


async def test_a_year_later_the_rolling_limit_has_moved_on(conn, payer, shop):
    for days, amounts in ((0, (100, 100)), (1, (100, 100)), (2, (100,)), (30, (100, 100)), (31, (100, 100))):
        done = await spend(conn, payer, shop, *amounts, now=NOON + timedelta(days=days))
        assert done == [Outcome.DONE] * len(amounts)
    assert await spend(conn, payer, shop, 1, now=NOON + timedelta(days=200)) == [Outcome.LIMIT_ROLLING]
    # June is out of the window in the June after, July still in it.
    assert await spend(conn, payer, shop, 100, now=NOON + timedelta(days=365)) == [Outcome.DONE]


async def test_the_receivers_balance_limit(conn, payer, shop):
    await conn.execute("UPDATE tier_limit SET amount_minor = 100000 WHERE kind <> 'balance' AND kyc_tier = 1")
    assert await spend(conn, shop, payer, 5) == [Outcome.INSUFFICIENT_FUNDS]
    await give(conn, shop, 10_000)
    assert await spend(conn, shop, payer, 1_000, 1) == [Outcome.DONE, Outcome.LIMIT_BALANCE]


async def test_the_day_begins_at_midnight_where_the_payer_lives(conn, payer, shop):
    before_midnight = datetime(2026, 6, 15, 16, 59, 59, tzinfo=UTC)  # 23:59:59 in Bangkok
    assert await spend(conn, payer, shop, 100, 100, 1, now=before_midnight) == [
        Outcome.DONE,
        Outcome.DONE,
        Outcome.LIMIT_DAILY,
    ]
    assert await spend(conn, payer, shop, 1, now=before_midnight + timedelta(seconds=1)) == [Outcome.DONE]


async def test_a_dated_row_takes_over_at_its_time(conn, payer, shop):
    change = NOON + timedelta(minutes=5)
    await conn.execute(
        "UPDATE tier_limit SET valid_to = $1 WHERE kind = 'transaction' AND kyc_tier = 1 AND currency = 'THB'"
        " AND country = 'TH'",
        change,
    )
    await limit(conn, "transaction", 150, since=change)
    payer = await add_person(conn, tier=1)
    await give(conn, payer, 1_000)
    assert await spend(conn, payer, shop, 150) == [Outcome.LIMIT_TRANSACTION]
    assert await spend(conn, payer, shop, 150, now=change) == [Outcome.DONE]


async def test_void_and_partial_capture_give_the_limit_back(conn, payer, shop):
    holds = [authorize(payer, 100), authorize(payer, 100)]
    ops = [*holds, transfer(payer, shop, 1), void(holds[0].hold_id), capture(holds[1].hold_id, 30)]
    ops += [transfer(payer, shop, 100), transfer(payer, shop, 70), transfer(payer, shop, 1)]
    assert [answer.outcome for answer in await ledger.execute(conn, ops, now=NOON)] == [
        Outcome.DONE,
        Outcome.DONE,
        Outcome.LIMIT_DAILY,
        Outcome.DONE,
        Outcome.DONE,
        Outcome.DONE,
        Outcome.DONE,
        Outcome.LIMIT_DAILY,
    ]


async def test_a_void_in_the_next_month_gives_back_to_the_month_it_was_spent_in(conn, payer, shop):
    hold = authorize(payer, 100, expires_at=NOON + timedelta(days=60))
    await ledger.execute(conn, [hold], now=NOON)
    later = NOON + timedelta(days=30)
    assert await spend(conn, payer, shop, 10, now=later) == [Outcome.DONE]
    prior = (
        "SELECT prior_minor, month_minor, day_minor FROM spending JOIN account ON id = account_id WHERE user_id = $1"
    )
    assert tuple(await conn.fetchrow(prior, payer)) == (100, 10, 10)
    await ledger.execute(conn, [void(hold.hold_id)], now=later)
    assert tuple(await conn.fetchrow(prior, payer)) == (0, 10, 10)
    past = "SELECT amount_minor FROM spending_month JOIN account ON id = account_id WHERE user_id = $1"
    assert [row["amount_minor"] for row in await conn.fetch(past, payer)] == [0]


async def test_limit_rows_cannot_overlap(conn, payer):
    with pytest.raises(Exception, match="tier_limit_one_at_a_time"):
        await limit(conn, "daily", 5, since=NOON)
