"""What is read and written against the rules in memory: random batches give the answers and books that those give."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid5

import asyncpg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from operations.invariants import broken, check_invariants, report
from payment.adapters.invariants import CHECKS
from payment.domain.accounts import wallet_id
from payment.domain.ledger import Expire
from payment_testing.books import Books
from payment_testing.ledger import CommittingLedger, SwappingLedger
from payment_testing.operations import authorize, capture, charge, give_back, settle, transfer, void
from payment_testing.people import NOON, add_person, give
from testkit.databases import Databases

DAY_MAX = 3_000
START = 1_000
PEOPLE, HOLDS, TRANSFERS = 3, 4, 6
SPACE = UUID(int=7)
TODAY = NOON.date()
COMPARED = (
    "balance_minor", "frozen_minor", "version", "spent_on", "spent_day_minor", "spent_month_minor", "spent_prior_minor"
)  # fmt: skip

amounts = st.integers(1, 900)
people = st.integers(0, PEOPLE - 1)
holds = st.integers(0, HOLDS - 1)
operations = st.one_of(
    st.tuples(st.just("transfer"), st.integers(0, TRANSFERS - 1), people, people, amounts),
    st.tuples(st.just("transfer"), st.integers(100, 10**6), people, people, amounts),
    st.tuples(st.just("authorize"), holds, people, amounts, st.integers(-1, 1)),
    st.tuples(st.just("charge"), holds, people, amounts),
    st.tuples(st.just("return"), holds),
    st.tuples(st.just("capture"), holds, st.one_of(st.none(), amounts)),
    st.tuples(st.just("settle"), holds, people, st.booleans()),
    st.tuples(st.just("void"), holds),
    st.tuples(st.just("expire"), holds),
)


class Session:
    """One example: people of its own in a shared database, and their books in memory."""

    def __init__(self, conn, users, salt):
        self.conn, self.users, self.salt = conn, users, salt
        self.books = Books()
        for user in users:
            self.books.open(user, START, limit_day_minor=DAY_MAX, version=1, spent_on=TODAY)

    def operation(self, step):
        kind, *rest = step
        if kind == "transfer":
            number, sender, recipient, amount = rest
            if sender == recipient:
                recipient = (sender + 1) % PEOPLE
            op_id = uuid5(SPACE, f"{self.salt} transfer {number}")
            return transfer(self.users[sender], self.users[recipient], amount, op_id=op_id)
        hold_id = uuid5(SPACE, f"{self.salt} hold {rest[0]}")
        if kind == "authorize":
            expires_at = NOON + timedelta(minutes=rest[3])
            return authorize(self.users[rest[1]], rest[2], hold_id=hold_id, expires_at=expires_at)
        if kind == "charge":
            return charge(self.users[rest[1]], rest[2], hold_id=hold_id)
        known = self.books.holds.get(hold_id)
        if kind == "capture":
            return capture(hold_id, rest[1] or (known.facts.amount_minor if known else 0) or 1)
        if kind == "settle":
            captured = known.captured_minor if known and known.captured_minor else 2
            parts = (captured,) if captured < 2 else (captured // 2, captured - captured // 2)
            return settle(hold_id, *(parts if rest[2] else (captured + 1,)), seller=self.users[rest[1]])
        return {"void": void, "return": give_back, "expire": lambda hold: Expire(hold_id=hold)}[kind](hold_id)

    async def run(self, batches):
        for batch in batches:
            # The operations of a batch are made before any of it ran, as those of real callers are.
            ops, slot = [self.operation(step) for step in batch], len(batch) % 3
            expected = self.books.apply(ops, slot=slot)
            ledger = (CommittingLedger, SwappingLedger)[self.salt % 2](slot=slot)
            answers = await ledger.execute(self.conn, ops, now=NOON)
            assert answers == expected, ops
        for wallet in [self.books.accounts[wallet_id(user, "THB")] for user in self.users]:
            row = await self.conn.fetchrow("SELECT * FROM account WHERE id = $1", wallet.id)
            assert {name: row[name] for name in COMPARED} == {name: getattr(wallet, name) for name in COMPARED}
        rows = await self.conn.fetch(
            "SELECT id, kind, debit_id, credit_id, amount_minor FROM transfer WHERE id = ANY($1)",
            [moved.id for moved in self.books.moved],
        )
        assert {tuple(row) for row in rows} == {
            (moved.id, moved.kind, moved.debit.id, moved.credit.id, moved.amount_minor) for moved in self.books.moved
        }
        stored = await self.conn.fetch("SELECT * FROM hold WHERE id = ANY($1)", list(self.books.holds))
        assert {
            row["id"]: (row["state"], row["captured_minor"], row["released_minor"], row["version"]) for row in stored
        } == {
            key: (hold.state, hold.captured_minor, hold.released_minor, hold.version)
            for key, hold in self.books.holds.items()
        }


def test_random_batches_agree_with_the_rules_in_memory(infra):
    """hypothesis runs its examples synchronously, so this test has an event loop of its own."""
    with asyncio.Runner() as runner:
        databases = Databases(infra.postgres_admin_dsn)
        made = runner.run(databases.create("payment"))
        owner = runner.run(asyncpg.connect(made.owner_dsn))
        runner.run(owner.execute("UPDATE tier_limit SET amount_minor = $1 WHERE kind <> 'balance'", DAY_MAX))
        runner.run(owner.execute("DELETE FROM tier_limit WHERE kind IN ('transaction', 'balance')"))
        runner.run(owner.close())
        conn = runner.run(asyncpg.connect(made.dsn))
        count = 0

        async def example(batches):
            nonlocal count
            count += 1
            users = [await add_person(conn) for _ in range(PEOPLE)]
            for user in users:
                await give(conn, user, START)
            await Session(conn, users, count).run(batches)

        @settings(
            max_examples=60,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        )
        @given(st.lists(st.lists(operations, min_size=1, max_size=12), min_size=1, max_size=8))
        def agree(batches):
            runner.run(example(batches))

        try:
            agree()
            findings = runner.run(check_invariants(conn, CHECKS))
            assert not broken(findings), report(findings)
            assert runner.run(conn.fetchval("SELECT count(*) FROM transfer")) > 100
        finally:
            runner.run(conn.close())
            runner.run(databases.drop_all())
