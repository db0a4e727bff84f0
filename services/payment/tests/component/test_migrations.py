"""The schema goes up, down and up again, a second up finds nothing to do, and what wallets spent goes along."""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg
import pytest

from payment.adapters.ledger import Ledger
from payment.domain.accounts import wallet_id
from payment.domain.ledger import Outcome
from payment.testing import NOON, add_person, give, transfer
from testkit.databases import placeholder_settings, with_database


@pytest.fixture
async def dsn(databases, infra):
    name = await databases.create_empty("payment")
    return with_database(infra.postgres_admin_dsn, name, user=databases._role("payment"), password="test-only")


async def migrate(dsn, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "payment",
        "migrate",
        *arguments,
        env={**placeholder_settings("payment"), "PAYMENT_DATABASE_DSN": dsn, "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.timeout(300)
async def test_up_down_up(dsn):
    assert (await migrate(dsn, "--check"))[0] == 3
    for arguments in ((), (), ("--to", "base"), ()):
        code, output = await migrate(dsn, *arguments)
        assert code == 0, output
    assert (await migrate(dsn, "--check"))[0] == 0


async def test_what_a_wallet_spent_moves_into_its_account_and_back(dsn, audit_holds):
    code, output = await migrate(dsn, "--to", "0001")
    assert code == 0, output
    conn = await asyncpg.connect(dsn)
    ann, bob = await add_person(conn), await add_person(conn)
    await give(conn, ann, 1_000)

    async def send(amount):
        [answer] = await Ledger(slot=0).execute(conn, [transfer(ann, bob, amount)], now=NOON)
        assert answer.outcome == Outcome.DONE
        query = "SELECT day_minor, month_minor, transaction_max_minor FROM spending WHERE account_id = $1"
        return tuple(await conn.fetchrow(query, wallet_id(ann, "THB")))

    day, month, limit = await send(100)
    assert (day, month) == (100, 100)
    for arguments, spent in (((), 110), (("--to", "0001"), 120)):
        code, output = await migrate(dsn, *arguments)
        assert code == 0, output
        assert await send(10) == (spent, spent, limit)
    await audit_holds(conn)
    await conn.close()
