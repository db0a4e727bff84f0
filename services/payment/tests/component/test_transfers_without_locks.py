"""Transfers without locks: whatever happens between the read and the write, nothing is written on what was true before."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from eventing import OutboxConfig
from kernel.clock import SystemClock
from payment.adapters.flusher import CHANGED_MEANWHILE, Flusher
from payment.adapters.ledger_store import LedgerStore
from payment.adapters.transfer_store import swap
from payment.domain.accounts import wallet_id
from payment.domain.outcome import Outcome
from payment_testing.ledger import CommittingLedger
from payment_testing.operations import authorize, transfer
from payment_testing.people import NOON, add_person, balance, give


class Between:
    """A connection: what is given to it is done once, after its first read."""

    def __init__(self, conn, done_meanwhile):
        self._conn, self._done_meanwhile = conn, done_meanwhile

    def __getattr__(self, name):
        return getattr(self._conn, name)

    async def fetch(self, *arguments):
        rows = await self._conn.fetch(*arguments)
        if self._done_meanwhile is not None:
            meanwhile, self._done_meanwhile = self._done_meanwhile, None
            await meanwhile
        return rows


@pytest.fixture
async def other(payment_database):
    made = await asyncpg.connect(payment_database.dsn)
    yield made
    await made.close()


@pytest.fixture
async def pair(conn):
    ann, bob = await add_person(conn), await add_person(conn)
    await give(conn, ann, 1_000)
    return ann, bob


async def swapped(conn, *ops):
    answers = await swap(conn, ops, now=NOON, also=lambda _: ())
    return answers and [answer.outcome for answer in answers]


async def written(conn, *ops):
    ids = [op.op_id for op in ops]
    query = "SELECT id FROM transfer WHERE id = ANY ($1) UNION ALL SELECT op_id FROM refusal WHERE op_id = ANY ($1)"
    return [row[0] for row in await conn.fetch(query, ids)]


async def test_done_and_refused_ones_of_a_batch_are_written_in_one_go(conn, pair):
    ann, bob = pair
    ops = transfer(ann, bob, 600), transfer(ann, bob, 600), transfer(bob, ann, 100), transfer(uuid4(), bob, 1)
    assert await swapped(conn, *ops) == [
        Outcome.DONE, Outcome.INSUFFICIENT_FUNDS, Outcome.DONE, Outcome.WALLET_NOT_FOUND,
    ]  # fmt: skip
    assert [await balance(conn, each) for each in pair] == [(500, 0), (500, 0)]
    assert await written(conn, *ops) == [ops[0].op_id, ops[2].op_id, ops[1].op_id, ops[3].op_id]


@pytest.mark.parametrize("change", ["money", "hold", "suspended", "tier"])
async def test_a_wallet_that_changes_after_it_was_read_leaves_nothing_written(conn, other, pair, change):
    ann, bob = pair
    meanwhile = {
        "money": lambda: CommittingLedger(slot=0).execute(other, [transfer(ann, bob, 900)], now=NOON),
        "hold": lambda: CommittingLedger(slot=0).execute(other, [authorize(ann, 900)], now=NOON),
        "suspended": lambda: other.execute("UPDATE account SET status = 'suspended' WHERE user_id = $1", bob),
        "tier": lambda: other.execute("UPDATE account SET limits_fresh_until = '-infinity' WHERE user_id = $1", ann),
    }[change]()
    ops = transfer(ann, bob, 500), transfer(ann, bob, 5_000)
    assert await swapped(Between(conn, meanwhile), *ops) is None
    assert await written(conn, *ops) == []


async def test_a_wallet_that_opens_after_it_was_missed_leaves_nothing_written(conn, pair):
    nobody = uuid4()
    op = transfer(pair[0], nobody, 5)
    assert await swapped(Between(conn, add_person(conn, user_id=nobody)), op) is None
    assert await written(conn, op) == []
    assert await swapped(conn, op) == [Outcome.DONE]


async def test_an_answer_that_was_given_before_is_not_given_again(conn, pair):
    ann, bob = pair
    done, refused = transfer(ann, bob, 1), transfer(ann, bob, 5_000)
    assert await swapped(conn, done, refused) == [Outcome.DONE, Outcome.INSUFFICIENT_FUNDS]
    for repeated in done, refused:
        new = transfer(ann, bob, 1)
        assert await swapped(conn, new, repeated) is None
        assert await written(conn, new) == []


@pytest.mark.parametrize("missing", ["sender", "recipient"])
async def test_a_refusal_that_is_stored_while_the_locks_are_waited_for_stays_the_answer(conn, other, pair, missing):
    """Whoever refused had missed one's wallet, which is there now."""
    ann, nobody = pair[0], uuid4()
    op = transfer(nobody, ann, 5) if missing == "sender" else transfer(ann, nobody, 5)
    opened = other.transaction()
    await opened.start()
    [answer] = await LedgerStore(slot=0).execute(other, [op], now=NOON)
    assert answer.outcome == Outcome.WALLET_NOT_FOUND
    await add_person(conn, user_id=nobody)
    await give(conn, nobody, 100)
    waiting = asyncio.create_task(swapped(conn, op))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await opened.commit()
    assert await waiting is None
    assert [await balance(conn, each) for each in (ann, nobody)] == [(1_000, 0), (100, 0)]


async def test_two_processes_pay_into_one_wallet_and_nothing_is_lost(payment_database, conn):
    @asynccontextmanager
    async def connect():
        made = await asyncpg.connect(payment_database.dsn)
        try:
            yield made
        finally:
            await made.close(timeout=2)

    shop, people = await add_person(conn), [await add_person(conn) for _ in range(20)]
    for person in people:
        await give(conn, person, 100)
    before = CHANGED_MEANWHILE._value.get()
    flushers = [
        Flusher(
            partitions=1,
            connect=connect,
            ledger=LedgerStore(slot=number),
            outbox_config=OutboxConfig(schema="payment", source="payment"),
            wakeups=None,
            clock=SystemClock(),
        )
        for number in range(2)
    ]
    stop = asyncio.Event()
    running = [asyncio.create_task(flusher.partitions[0].run(stop)) for flusher in flushers]

    async def pays(person, flusher):
        for _ in range(10):
            assert (await flusher.submit(transfer(person, shop, 3))).outcome == Outcome.DONE

    await asyncio.gather(*(pays(person, flushers[number % 2]) for number, person in enumerate(people)))
    stop.set()
    await asyncio.gather(*running)
    assert await balance(conn, shop) == (20 * 10 * 3, 0)
    assert CHANGED_MEANWHILE._value.get() > before
    rows = await conn.fetch("SELECT amount_minor FROM posting WHERE account_id = $1", wallet_id(shop, "THB"))
    assert len(rows) == 200
