"""Limits: dated rows by country, tier and kind, in the days of the wallet's country; a void gives them back."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from kernel.country import Country
from payment.adapters.wallet_store import WalletStore
from payment.domain.accounts import Payer, wallet_id
from payment.domain.ledger import Authorize, Expire
from payment.domain.outcome import Outcome
from payment_testing.ledger import SwappingLedger
from payment_testing.operations import authorize, capture, transfer, void
from payment_testing.people import NOON, add_person, balance, give

ledger = SwappingLedger(slot=0)
KINDS = {"transaction": 100, "daily": 200, "monthly": 500, "rolling_12_months": 900, "balance": 5_000}


@pytest.fixture
async def payer(conn, owner):
    """Tier 1 in Thailand with small round limits from 2020 on."""
    await owner.execute("DELETE FROM tier_limit WHERE country = 'TH' AND kyc_tier = 1 AND currency = 'THB'")
    for kind, amount in KINDS.items():
        await limit(owner, kind, amount, since=datetime(2020, 1, 1, tzinfo=UTC))
    person = await add_person(conn, tier=1)
    await give(conn, person, 4_000)
    return person


@pytest.fixture
async def shop(conn):
    return await add_person(conn, tier=3)


async def limit(owner, kind, amount, *, since, until=None):
    await owner.execute(
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


async def test_the_receivers_balance_limit(conn, owner, payer, shop):
    await owner.execute("UPDATE tier_limit SET amount_minor = 100000 WHERE kind <> 'balance' AND kyc_tier = 1")
    assert await spend(conn, shop, payer, 5) == [Outcome.INSUFFICIENT_FUNDS]
    await give(conn, shop, 10_000)
    assert await spend(conn, shop, payer, 1_000, 1) == [Outcome.DONE, Outcome.LIMIT_BALANCE]


async def test_the_day_begins_at_midnight_in_the_wallets_country(conn, payer, shop):
    before_midnight = datetime(2026, 6, 15, 16, 59, 59, tzinfo=UTC)  # 23:59:59 in Bangkok
    assert await spend(conn, payer, shop, 100, 100, 1, now=before_midnight) == [
        Outcome.DONE,
        Outcome.DONE,
        Outcome.LIMIT_DAILY,
    ]
    assert await spend(conn, payer, shop, 1, now=before_midnight + timedelta(seconds=1)) == [Outcome.DONE]


async def test_a_dated_row_takes_over_at_its_time(conn, owner, payer, shop):
    change = NOON + timedelta(minutes=5)
    await owner.execute(
        "UPDATE tier_limit SET valid_to = $1 WHERE kind = 'transaction' AND kyc_tier = 1 AND currency = 'THB'"
        " AND country = 'TH'",
        change,
    )
    await limit(owner, "transaction", 150, since=change)
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


async def change(conn, payer, *, country="TH", tier=1):
    """What payment does when it hears of a changed profile."""
    store = WalletStore(conn)
    async with conn.transaction():
        await store.change_payer(Payer(user_id=payer, country=country, kyc_tier=tier), NOON)


async def used(conn, payer):
    query = "SELECT day_minor, month_minor FROM spending WHERE account_id = $1"
    return tuple(await conn.fetchrow(query, wallet_id(payer, "THB")))


async def test_the_zone_of_every_country_is_the_kernels(conn):
    for country in Country:
        assert await conn.fetchval("SELECT country_zone($1)", country.value) == country.default_time_zone


async def test_nothing_of_a_profile_begins_a_day_again_or_lifts_a_limit(conn, payer, shop):
    assert await spend(conn, payer, shop, 100, 100) == [Outcome.DONE] * 2
    limits = "SELECT limit_day_minor, limit_month_minor, limit_transaction_minor FROM account WHERE id = $1"
    before = tuple(await conn.fetchrow(limits, wallet_id(payer, "THB")))
    for country in ("VN", "PH", "ID", "SG", "TH"):
        await change(conn, payer, country=country)
        assert await spend(conn, payer, shop, 1) == [Outcome.LIMIT_DAILY]
        assert tuple(await conn.fetchrow(limits, wallet_id(payer, "THB"))) == before
        assert await used(conn, payer) == (200, 200)


async def test_control_a_wallet_that_follows_its_owner_has_other_limits_abroad(conn, payer, shop):
    """What the test above would not see if the wallet's own country counted for nothing."""
    assert await spend(conn, payer, shop, 100, 100) == [Outcome.DONE] * 2
    await conn.execute("UPDATE account SET country = 'VN' WHERE user_id = $1", payer)
    await change(conn, payer, country="VN")
    assert await spend(conn, payer, shop, 101) == [Outcome.DONE]


async def test_a_day_goes_only_forward(conn, payer, shop):
    """A process whose clock is behind, or behind midnight, spends from the day that was begun."""
    midnight = datetime(2026, 6, 15, 17, 0, tzinfo=UTC)
    assert await spend(conn, payer, shop, 100, now=midnight) == [Outcome.DONE]
    for late in (timedelta(seconds=1), timedelta(hours=3), timedelta(days=20)):
        await change(conn, payer)
        assert await spend(conn, payer, shop, 100, 1, now=midnight - late) == (
            [Outcome.DONE, Outcome.LIMIT_DAILY] if late == timedelta(seconds=1) else [Outcome.LIMIT_DAILY] * 2
        )
    assert await used(conn, payer) == (200, 200)


async def test_a_hold_that_was_counted_under_another_zone_is_given_back_and_no_count_is_negative(conn, payer, shop):
    """As wallets are that were moved about before the zone was pinned."""
    holds = [authorize(payer, 60) for _ in range(3)]
    await ledger.execute(conn, holds, now=NOON)
    await conn.execute(
        "UPDATE account SET spent_day_minor = 10, spent_month_minor = 20, spent_prior_minor = 5 WHERE user_id = $1",
        payer,
    )
    ops = [void(holds[0].hold_id), Expire(hold_id=holds[1].hold_id), capture(holds[2].hold_id, 10)]
    answers = await ledger.execute(conn, ops, now=holds[1].expires_at)
    assert [answer.outcome for answer in answers] == [Outcome.DONE] * 3
    assert await used(conn, payer) == (0, 0)
    assert await balance(conn, payer) == (3_990, 0)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_in_whatever_order_counts_are_what_was_spent_of_each_day(conn, payer, shop, seed):
    """Holds, voids, captures, expiries, transfers and changed profiles over two months, against plain sums."""
    dice, now = random.Random(seed), NOON
    spent: dict[date, int] = {}
    held: list[tuple[Authorize, date]] = []
    for _ in range(120):
        now += timedelta(hours=dice.choice([0, 0, 1, 5, 13]))
        today = (now + timedelta(hours=7)).date()
        if dice.random() < 0.3:
            await change(conn, payer, country=dice.choice(["TH", "VN", "PH"]))
        amount = dice.randrange(1, 60)
        if held and dice.random() < 0.5:
            hold, day = held.pop(dice.randrange(len(held)))
            kept = dice.choice([0, 0, hold.amount_minor // 2])
            op = capture(hold.hold_id, kept) if kept else void(hold.hold_id)
            [answer] = await ledger.execute(conn, [op], now=now)
            assert answer.outcome == Outcome.DONE
            spent[day] -= hold.amount_minor - kept
            continue
        hold = authorize(payer, amount, expires_at=now + timedelta(days=90))
        op = hold if dice.random() < 0.7 else transfer(payer, shop, amount)
        [answer] = await ledger.execute(conn, [op], now=now)
        month = sum(value for day, value in spent.items() if day.replace(day=1) == today.replace(day=1))
        if spent.get(today, 0) + amount > KINDS["daily"]:
            assert answer.outcome == Outcome.LIMIT_DAILY
        elif month + amount > KINDS["monthly"]:
            assert answer.outcome == Outcome.LIMIT_MONTHLY
        elif sum(spent.values()) + amount > KINDS["rolling_12_months"]:
            assert answer.outcome == Outcome.LIMIT_ROLLING
        else:
            assert answer.outcome == Outcome.DONE
            spent[today] = spent.get(today, 0) + amount
            if op is hold:
                held.append((hold, today))
    row = await conn.fetchrow(
        "SELECT spent_on, spent_day_minor, spent_month_minor, spent_prior_minor FROM account WHERE id = $1",
        wallet_id(payer, "THB"),
    )
    assert row["spent_day_minor"] == spent.get(row["spent_on"], 0)
    assert row["spent_month_minor"] + row["spent_prior_minor"] == sum(spent.values())


async def test_limit_rows_cannot_overlap(owner, payer):
    with pytest.raises(Exception, match="tier_limit_one_at_a_time"):
        await limit(owner, "daily", 5, since=NOON)
