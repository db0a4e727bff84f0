"""The ledger against a model: random batches of every operation give the answers and balances the model gives."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid5

import asyncpg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from operations.invariants import broken, check_invariants, report
from payment.adapters.invariants import CHECKS
from payment.adapters.ledger_store import LedgerStore
from payment.domain.ledger import Expire
from payment_testing.ledger_model import LedgerModel
from payment_testing.operations import authorize, capture, settle, transfer, void
from payment_testing.people import NOON, add_person, balance, give
from testkit.databases import Databases

DAY_MAX = 3_000
START = 1_000
PEOPLE, HOLDS, TRANSFERS = 3, 4, 6
SPACE = UUID(int=7)

amounts = st.integers(1, 900)
people = st.integers(0, PEOPLE - 1)
holds = st.integers(0, HOLDS - 1)
operations = st.one_of(
    st.tuples(st.just("transfer"), st.integers(0, TRANSFERS - 1), people, people, amounts),
    st.tuples(st.just("transfer"), st.integers(100, 10**6), people, people, amounts),
    st.tuples(st.just("authorize"), holds, people, amounts, st.integers(-1, 1)),
    st.tuples(st.just("capture"), holds, st.one_of(st.none(), amounts)),
    st.tuples(st.just("settle"), holds, people, st.booleans()),
    st.tuples(st.just("void"), holds),
    st.tuples(st.just("expire"), holds),
)


class Session:
    """One example: people of its own in a shared database, and the model of them."""

    def __init__(self, conn, users, salt):
        self.conn, self.users, self.salt = conn, users, salt
        self.model = LedgerModel(day_max=DAY_MAX)
        for user in users:
            self.model.open(user, START)

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
        known = self.model.holds.get(hold_id)
        if kind == "capture":
            return capture(hold_id, rest[1] or (known.amount if known and known.amount else 1))
        if kind == "settle":
            captured = known.captured if known and known.captured else 2
            parts = (captured,) if captured < 2 else (captured // 2, captured - captured // 2)
            return settle(hold_id, *(parts if rest[2] else (captured + 1,)), seller=self.users[rest[1]])
        return void(hold_id) if kind == "void" else Expire(hold_id=hold_id)

    async def run(self, batches):
        for batch in batches:
            # The operations of a batch are made before any of it ran, as those of real callers are.
            ops = [self.operation(step) for step in batch]
            expected = [self.model.apply(op, NOON) for op in ops]
            answers = await LedgerStore(slot=len(batch) % 3).execute(self.conn, ops, now=NOON)
            assert [int(answer.outcome) for answer in answers] == [int(each) for each in expected], ops
        for user in self.users:
            assert await balance(self.conn, user) == (self.model.balances[user], self.model.frozen[user])
        spent = await self.conn.fetch(
            "SELECT user_id, day_minor, month_minor FROM spending JOIN account ON id = account_id WHERE user_id = ANY($1)",
            self.users,
        )
        assert {row["user_id"]: (row["day_minor"], row["month_minor"]) for row in spent} == {
            user: (amount, amount) for user, amount in self.model.spent.items()
        }


def test_random_batches_agree_with_the_model(infra):
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
