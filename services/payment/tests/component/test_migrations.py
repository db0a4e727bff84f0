"""The schema goes up, down and up again, a second up finds nothing to do, and what wallets spent goes along."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from eventing import tables
from payment.domain.accounts import wallet_id
from payment.domain.ledger import Suspend
from payment.domain.outcome import Outcome
from payment_testing.ledger import CommittingLedger
from payment_testing.operations import transfer
from payment_testing.people import NOON, add_person, give
from testkit.databases import migrating, placeholder_settings


@pytest.fixture
async def unmigrated(databases):
    return await databases.create_unmigrated("payment")


async def migrate(database, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "payment",
        "migrate",
        *arguments,
        env={**placeholder_settings("payment"), **migrating(database), "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.timeout(300)
async def test_up_down_up(unmigrated):
    assert (await migrate(unmigrated, "--check"))[0] == 3
    for arguments in ((), (), ("--to", "base"), ()):
        code, output = await migrate(unmigrated, *arguments)
        assert code == 0, output
    assert (await migrate(unmigrated, "--check"))[0] == 0


async def spent_of_old(conn, sender, recipient, amount, now=NOON):
    """As ``spent``, by the function in which the ledger's rules were before they moved into the domain."""
    wallets = sorted([wallet_id(sender, "THB"), wallet_id(recipient, "THB")], key=lambda each: each.int)
    debit, credit = (wallets.index(wallet_id(each, "THB")) + 1 for each in (sender, recipient))
    nobody = UUID(int=0)
    outcome = await conn.fetchval(
        "SELECT o_outcome[1] FROM ledger_execute($1, $2, '{}', '{}', '{}', '{THB}', '{1}', $3, $4, $5, $6, '{0}', $7,"
        " '{1}', $8, $9, '{lunch}', '{0}', '{0}')",
        now, wallets, [uuid4()], [uuid4()], [debit], [credit], [amount], [nobody], [now],
    )  # fmt: skip
    assert outcome == Outcome.DONE
    return await counted(conn, sender)


async def spent(conn, sender, recipient, amount, now=NOON):
    """What counts of the day and month after one more transfer, and the limit of a transaction."""
    [answer] = await CommittingLedger(slot=0).execute(conn, [transfer(sender, recipient, amount)], now=now)
    assert answer.outcome == Outcome.DONE
    return await counted(conn, sender)


async def counted(conn, sender):
    query = "SELECT day_minor, month_minor, transaction_max_minor FROM spending WHERE account_id = $1"
    return tuple(await conn.fetchrow(query, wallet_id(sender, "THB")))


async def to(database, *arguments):
    code, output = await migrate(database, *arguments)
    assert code == 0, output


async def test_what_a_wallet_spent_moves_into_its_account_and_back(unmigrated, audit_holds):
    await to(unmigrated)
    conn = await asyncpg.connect(unmigrated.dsn)
    ann, bob = await add_person(conn), await add_person(conn)
    await give(conn, ann, 1_000)
    day, month, limit = await spent(conn, ann, bob, 100)
    assert (day, month) == (100, 100)
    await to(unmigrated, "--to", "0001")
    assert await spent_of_old(conn, ann, bob, 10) == (110, 110, limit)
    await to(unmigrated)
    assert await spent(conn, ann, bob, 10) == (120, 120, limit)
    await audit_holds(conn)
    await conn.close()


async def test_a_wallet_whose_owner_had_moved_the_zone_keeps_its_day_until_the_country_has_it(unmigrated, audit_holds):
    await to(unmigrated)
    conn = await asyncpg.connect(unmigrated.dsn)
    ann, bob = await add_person(conn), await add_person(conn)
    await give(conn, ann, 1_000)
    await to(unmigrated, "--to", "0003")
    await conn.execute("UPDATE payer SET time_zone = 'Pacific/Kiritimati' WHERE user_id = $1", ann)
    await conn.execute("UPDATE account SET limits_fresh_until = NULL, spent_on = NULL")
    evening = NOON + timedelta(hours=6)  # 18:00 in Bangkok, and the next day in Kiritimati
    await spent_of_old(conn, ann, bob, 100, evening)
    await to(unmigrated)
    assert (await spent(conn, ann, bob, 10, evening))[:2] == (110, 110)
    assert (await spent(conn, ann, bob, 10, evening + timedelta(hours=7)))[:2] == (120, 120)
    assert (await spent(conn, ann, bob, 10, evening + timedelta(days=1, hours=7)))[:2] == (10, 130)
    await audit_holds(conn)
    await conn.close()


async def test_charges_in_suspense_are_in_review_after_the_migration(unmigrated, audit_holds):
    await to(unmigrated)
    conn = await asyncpg.connect(unmigrated.dsn)
    op = Suspend(op_id=uuid4(), provider="sandbox", amount_minor=70, currency="THB")
    await conn.execute(
        "INSERT INTO provider_line VALUES ('sandbox', 'ch_old', NULL, 70, 'THB', $1, $2)", op.op_id, NOON
    )
    await CommittingLedger(slot=0).execute(conn, [op], now=NOON)
    await to(unmigrated, "--to", "0003")
    await to(unmigrated)
    row = await conn.fetchrow("SELECT suspense_reason, review_state FROM provider_line")
    assert tuple(row) == ("unspecified", "open")
    await audit_holds(conn)
    await conn.close()


async def pending_charges(conn):
    rows = await conn.fetch("SELECT payment_token, pending_charge_ids, confirm_at FROM top_up ORDER BY payment_token")
    return [tuple(row) for row in rows]


async def test_open_top_ups_know_their_charge_at_work_also_after_a_migration_that_stopped_half_way(unmigrated):
    await to(unmigrated, "--to", "0006")
    conn, owner = await asyncpg.connect(unmigrated.dsn), await asyncpg.connect(unmigrated.owner_dsn)
    person = await add_person(conn)
    for token, state, charge_id, next_attempt_at in (
        ("asked", "created", None, NOON),
        ("ended", "completed", "ch_ended", None),
        ("pending", "pending", "ch_pending", NOON),
    ):
        await conn.execute(
            "INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,"
            " provider_charge_id, next_attempt_at, created_at)"
            " VALUES ($1, $2, $3, 500, 'THB', 'sandbox', $4, $5, $6, $7, $8)",
            uuid4(),
            person,
            wallet_id(person, "THB"),
            token,
            state,
            charge_id,
            next_attempt_at,
            NOON,
        )
    # As far as it had come: its columns, of which one is written already, and an index that is no use.
    await owner.execute(
        "ALTER TABLE top_up ADD COLUMN confirm_at timestamptz,"
        " ADD COLUMN pending_charge_ids text[] NOT NULL DEFAULT '{}'"
    )
    await owner.execute("UPDATE top_up SET pending_charge_ids = '{ch_pending,ch_2}' WHERE state = 'pending'")
    await owner.execute("CREATE INDEX top_up_to_confirm ON top_up (created_at)")
    await to(unmigrated)
    kept = [("asked", [], None), ("ended", [], None), ("pending", ["ch_pending", "ch_2"], None)]
    assert await pending_charges(conn) == kept
    index = await conn.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = 'top_up_to_confirm'")
    assert "(confirm_at) WHERE (confirm_at IS NOT NULL)" in index
    await to(unmigrated, "--to", "0006")
    await to(unmigrated)
    assert await pending_charges(conn) == [*kept[:2], ("pending", ["ch_pending"], None)]
    for each in (conn, owner):
        await each.close()


async def test_ended_top_ups_with_another_charge_at_work_are_asked_about_again(unmigrated):
    await to(unmigrated, "--to", "0007")
    conn = await asyncpg.connect(unmigrated.dsn)
    person = await add_person(conn)
    for token, charge_id, pending, next_attempt_at in (
        ("alone", "ch_1", ["ch_1"], None),
        ("expired", None, ["ch_2"], None),
        ("nothing", None, [], None),
        ("open", "ch_2", ["ch_1", "ch_2"], NOON),
        ("two", "ch_1", ["ch_1", "ch_2"], None),
    ):
        await conn.execute(
            "INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,"
            " provider_charge_id, pending_charge_ids, next_attempt_at, created_at)"
            " VALUES ($1, $2, $3, 500, 'THB', 'sandbox', $4, $5, $6, $7, $8, $9)",
            uuid4(),
            person,
            wallet_id(person, "THB"),
            token,
            "pending" if next_attempt_at else "failed",
            charge_id,
            pending,
            next_attempt_at,
            NOON,
        )
    await to(unmigrated)
    asked = await conn.fetch("SELECT payment_token FROM top_up WHERE confirm_at IS NOT NULL ORDER BY 1")
    assert [row["payment_token"] for row in asked] == ["expired", "two"]
    await conn.close()


async def functions_of(conn):
    """Each function of the schema by its signature, as Postgres would write it."""
    rows = await conn.fetch(
        "SELECT oid::regprocedure::text AS signature, pg_get_functiondef(oid) AS definition FROM pg_proc"
        " WHERE pronamespace = 'payment'::regnamespace"
    )
    return {row["signature"]: row["definition"] for row in rows}


@pytest.mark.parametrize("changed", [False, True])  # with the control: a function that the file does not have is found
async def test_a_database_at_head_has_the_functions_of_the_file_and_no_others(owner, changed):
    file = (Path(__file__).parents[2] / "migrations" / "functions" / "ledger.sql").read_text()
    if changed:
        file = file.replace("v_max CONSTANT bigint := 9007199254740991", "v_max CONSTANT bigint := 9007199254740992")
    at_head = await functions_of(owner)
    loading = owner.transaction()
    await loading.start()
    try:
        for statement in file.split("\n-- ;;\n"):
            await owner.execute(statement)
        loaded = await functions_of(owner)
    finally:
        await loading.rollback()
    assert (loaded == at_head) is not changed
    declared = set(re.findall(r"REPLACE FUNCTION (\w+)", file))
    assert {signature.partition("(")[0] for signature in at_head} - elsewhere() == declared


def elsewhere():
    """Functions that are not the ledger's: each is made in one place too."""
    return {"ensure_transaction_months", "missing_rights", *tables.functions("payment")}
