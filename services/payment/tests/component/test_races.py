"""Many connections at the same accounts: nothing is lost or doubled, and it is the locks that see to it."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from operations.invariants import check_invariants
from payment.adapters import ledger_store, transfer_store
from payment.adapters.invariants import CHECKS
from payment.adapters.ledger_store import LedgerStore
from payment.domain.ledger import Expire
from payment.domain.outcome import Outcome
from payment_testing.ledger import CommittingLedger, SwappingLedger
from payment_testing.operations import authorize, capture, charge, settle, transfer
from payment_testing.people import NOON, add_person, balance, give

PEOPLE, WRITERS, BATCHES, PER_BATCH = 6, 6, 12, 8
TRIES = 5  # of a control: a busy machine may run one race as if it were a queue


async def race(database, *, sabotage=(), ledger=CommittingLedger):
    """Writers that send money around one circle. Returns (errors, violations, total money)."""
    owner = await asyncpg.connect(database.owner_dsn)
    people = [await add_person(owner) for _ in range(PEOPLE)]
    for person in people:
        await give(owner, person, 10_000)
    for statement in sabotage:
        await owner.execute(statement)

    async def writer(number):
        conn = await asyncpg.connect(database.dsn)
        dice = random.Random(number)
        errors = 0
        for _ in range(BATCHES):
            ops = [transfer(*dice.sample(people, 2), dice.randrange(1, 300)) for _ in range(PER_BATCH)]
            try:
                await ledger(slot=number).execute(conn, ops, now=NOON)
            except asyncpg.PostgresError:
                errors += 1
        await conn.close()
        return errors

    errors = sum(await asyncio.gather(*(writer(number) for number in range(WRITERS))))
    findings = await check_invariants(owner, CHECKS)
    total = sum([(await balance(owner, person))[0] for person in people])
    await owner.close()
    return errors, sum(finding.count for finding in findings), total


@pytest.fixture
def without_locks(monkeypatch):
    for name in ("_LOCK_ACCOUNTS", "_LOCK_ACCOUNTS_OF_HOLDS", "_LOCK_HOLDS"):
        statement = getattr(ledger_store, name)
        assert statement.count("FOR NO KEY UPDATE") == 1
        monkeypatch.setattr(ledger_store, name, statement.replace("FOR NO KEY UPDATE", ""))


@pytest.mark.parametrize("ledger", [CommittingLedger, SwappingLedger])
async def test_concurrent_batches_conserve_money_without_an_error(database, ledger):
    errors, violations, total = await race(await database("payment"), ledger=ledger)
    assert (errors, violations, total) == (0, 0, PEOPLE * 10_000)


@pytest.mark.usefixtures("without_locks")
async def test_control_without_locks_the_same_race_fails(database):
    made = await database("payment")
    for _ in range(TRIES):
        errors, _, _ = await race(made)
        if errors:
            break
    assert errors > 0, "the race is too tame to show anything: the version key caught nothing"


async def test_control_where_nobody_asks_what_changed_the_same_race_fails(database, monkeypatch):
    asks = "(SELECT array_agg(xmin) FROM held) = $1::text::xid[]"
    statement = transfer_store._IS_UNCHANGED.replace(asks, "$1::text IS NOT NULL")
    assert statement != transfer_store._IS_UNCHANGED
    monkeypatch.setattr(transfer_store, "_IS_UNCHANGED", statement)
    made = await database("payment")
    for _ in range(TRIES):
        errors, _, _ = await race(made, ledger=SwappingLedger)
        if errors:
            break
    assert errors > 0


@pytest.mark.usefixtures("without_locks")
async def test_control_without_locks_and_keys_money_is_lost_and_the_audit_sees_it(database):
    made = await database("payment")
    sabotage = ["ALTER TABLE posting DROP CONSTRAINT IF EXISTS posting_pkey"]
    for _ in range(TRIES):
        _, violations, _ = await race(made, sabotage=sabotage)
        if violations:
            break
    assert violations > 0


async def test_of_capture_and_expiry_one_wins(payment_database, conn):
    other = await asyncpg.connect(payment_database.dsn)
    late = NOON + timedelta(hours=1)
    person = await add_person(conn)
    await give(conn, person, 100_000)
    holds = [authorize(person, 100, expires_at=NOON + timedelta(minutes=1)) for _ in range(40)]
    await CommittingLedger(slot=0).execute(conn, holds, now=NOON)
    outcomes = []
    for hold in holds:
        racers = [
            CommittingLedger(slot=0).execute(conn, [capture(hold.hold_id, 100)], now=late),
            CommittingLedger(slot=1).execute(other, [Expire(hold_id=hold.hold_id)], now=late),
        ]
        random.shuffle(racers)
        answers = await asyncio.gather(*racers)
        outcomes.append(sorted(answer.outcome for [answer] in answers))
    await other.close()
    assert all(first == Outcome.DONE for first, _ in outcomes)
    assert all(second in {Outcome.HOLD_EXPIRED, Outcome.HOLD_WRONG_STATE} for _, second in outcomes)
    captured = await conn.fetchval("SELECT coalesce(sum(captured_minor), 0) FROM hold WHERE user_id = $1", person)
    assert await balance(conn, person) == (100_000 - captured, 0)


@pytest.mark.parametrize("ledger", [CommittingLedger, SwappingLedger])
async def test_the_last_money_goes_once(payment_database, conn, ledger):
    """Twenty callers on connections of their own want all of it."""
    person, shop = await add_person(conn), await add_person(conn)
    await give(conn, person, 500)
    pool = await asyncpg.create_pool(payment_database.dsn, min_size=8, max_size=8)

    async def caller():
        async with pool.acquire() as own:
            [answer] = await ledger(slot=0).execute(own, [transfer(person, shop, 500)], now=NOON)
            return answer.outcome

    outcomes = await asyncio.gather(*(caller() for _ in range(20)))
    await pool.close()
    assert sorted(outcomes) == [Outcome.DONE] + [Outcome.INSUFFICIENT_FUNDS] * 19


@pytest.mark.parametrize("ledger", [CommittingLedger, SwappingLedger])
async def test_one_operation_id_from_many_callers_moves_money_once(payment_database, conn, ledger):
    person, shop = await add_person(conn), await add_person(conn)
    await give(conn, person, 500)
    pool = await asyncpg.create_pool(payment_database.dsn, min_size=6, max_size=6)
    op_id = uuid4()

    async def caller():
        async with pool.acquire() as own:
            [answer] = await ledger(slot=0).execute(own, [transfer(person, shop, 100, op_id=op_id)], now=NOON)
            return answer.outcome

    outcomes = await asyncio.gather(*(caller() for _ in range(12)))
    await pool.close()
    assert sorted(outcomes) == [Outcome.DONE] + [Outcome.DONE_BEFORE] * 11
    assert await balance(conn, person) == (400, 0)


@pytest.mark.parametrize("statement", ["UPDATE account SET balance_minor = -1", "UPDATE account SET frozen_minor = -1"])
async def test_the_database_itself_refuses_a_wallet_below_zero(conn, statement):
    person = await add_person(conn)
    with pytest.raises(asyncpg.CheckViolationError, match="pay_3"):
        await conn.execute(f"{statement} WHERE user_id = $1", person)


async def test_a_hold_that_appears_while_its_wallet_is_waited_for_is_asked_for_again(payment_database, conn):
    """Its wallet is locked for another operation, its clearing account is not: the batch is repeated."""
    other = await asyncpg.connect(payment_database.dsn)
    person = await add_person(conn)
    await give(conn, person, 1_000)
    first, second = charge(person, 100), charge(person, 50)
    opened = conn.transaction()
    await opened.start()
    await LedgerStore(slot=0).execute(conn, [first], now=NOON)
    batch = [second, settle(first.hold_id, 100, seller=person)]
    waiting = asyncio.create_task(CommittingLedger(slot=1).execute(other, batch, now=NOON))
    await asyncio.sleep(0.3)
    await opened.commit()
    with pytest.raises(asyncpg.SerializationError):
        await waiting
    answers = await CommittingLedger(slot=1).execute(other, batch, now=NOON)
    assert [answer.outcome for answer in answers] == [Outcome.DONE, Outcome.DONE]
    await other.close()


async def test_accounts_of_ours_are_looked_for_until_they_are_committed(payment_database, conn):
    person = await add_person(conn)
    await give(conn, person, 1_000)
    ledger, asked = LedgerStore(slot=5), []
    conn.add_query_logger(lambda record: asked.append(record.query))

    async def inserts(*, roll_back=False):
        asked.clear()
        opened = conn.transaction()
        await opened.start()
        await ledger.execute(conn, [charge(person, 1)], now=NOON)
        await (opened.rollback() if roll_back else opened.commit())
        return sum("INSERT INTO account" in query for query in asked)

    assert await inserts(roll_back=True) == 1
    assert await inserts() == 1  # what was rolled back is not there
    assert await inserts() == 1  # now it is known
    assert await inserts() == 0
