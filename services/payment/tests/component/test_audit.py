"""The audit finds each kind of damage: every invariant is broken here on purpose, one at a time."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from operations.invariants import broken, check_invariants, report, run_checks
from payment.adapters.invariants import CHECKS, LATE
from payment.domain.ledger import Suspend
from payment_testing.ledger import CommittingLedger
from payment_testing.operations import authorize, capture, settle, transfer
from payment_testing.people import NOON, add_person, give
from testkit.databases import placeholder_settings

DAMAGE = {
    "PAY-1 a posting changed": "UPDATE posting SET amount_minor = amount_minor + 1 WHERE amount_minor > 0",
    "PAY-1 a posting lost": "DELETE FROM posting WHERE amount_minor < 0",
    "PAY-1 a transfer lost": "DELETE FROM transfer WHERE kind = 1",
    "PAY-2 a balance changed": "UPDATE account SET balance_minor = balance_minor + 5 WHERE kind = 'wallet'",
    "PAY-2 a version skipped": "UPDATE account SET version = version + 1 WHERE kind = 'wallet'",
    "PAY-2 a history rewritten": "UPDATE posting SET balance_after_minor = balance_after_minor + 1 WHERE version = 1",
    "PAY-3 frozen without a hold": "UPDATE account SET frozen_minor = 1 WHERE kind = 'wallet' AND balance_minor > 5",
    "PAY-4 captured twice": "UPDATE hold SET captured_minor = amount_minor, released_minor = 0 WHERE state = 'captured'",
    "PAY-5 a refusal that moved money": "INSERT INTO refusal SELECT id, 13, now(), id FROM transfer LIMIT 1",
    "PAY-6 a statement line lost": "DELETE FROM provider_line",
    "PAY-6 a statement line changed": "UPDATE provider_line SET amount_minor = amount_minor + 1",
    "PAY-6 a charge in suspense that nobody looks at": "UPDATE provider_line SET review_state = 'returned'"
    " WHERE review_state = 'open'",
    "LIM a negative count": "ALTER TABLE account DROP CONSTRAINT limit_spent_not_negative;"
    " UPDATE account SET spent_day_minor = -1 WHERE kind = 'wallet'",
}
STANDING = {
    "captured and not settled": "UPDATE hold SET updated_at = now() - interval '16 minutes' WHERE state = 'captured'",
    "held past its time": "UPDATE hold SET expires_at = now() - interval '16 minutes' WHERE state = 'authorized'",
    "a charge on its way back": "UPDATE provider_line SET review_state = 'returning',"
    " next_attempt_at = now() - interval '16 minutes' WHERE review_state = 'open'",
}


@pytest.fixture(scope="module")
async def busy(payment_database):
    """A database in which a little of everything happened, as the owner: nobody else could damage it."""
    conn = await asyncpg.connect(payment_database.owner_dsn)
    ann, bob = await add_person(conn), await add_person(conn)
    now = datetime.now(UTC)
    await give(conn, ann, 10_000, now=now)
    later = now + timedelta(hours=1)
    hold, done, partial = (authorize(ann, amount, expires_at=later) for amount in (300, 200, 100))
    ops = [transfer(ann, bob, 50), transfer(bob, ann, 5_000), hold, done, partial]
    ops += [capture(done.hold_id, 200), settle(done.hold_id, 200, seller=bob), capture(partial.hold_id, 60)]
    ops.append(Suspend(op_id=uuid4(), provider="sandbox", amount_minor=70, currency="THB"))
    await conn.execute(
        "INSERT INTO provider_line (provider, charge_id, amount_minor, currency, transfer_id, seen_at,"
        " suspense_reason, review_state) VALUES ('sandbox', 'ch', 70, 'THB', $1, $2, 'unknown_reference', 'open')",
        ops[-1].op_id,
        now,
    )
    await CommittingLedger(slot=1).execute(conn, ops, now=now)
    yield conn
    await conn.close()


async def test_a_healthy_database(busy):
    findings = await check_invariants(busy, CHECKS)
    assert not broken(findings), report(findings)
    assert {finding.check.invariant for finding in findings} == {*(f"PAY-{n}" for n in range(1, 7)), "LIM"}
    assert not broken(await check_invariants(busy, LATE))


@pytest.mark.parametrize("what", STANDING)
async def test_money_that_stands_still_is_found_and_the_books_are_right_all_the_same(busy, what):
    damaged = busy.transaction()
    await damaged.start()
    try:
        await busy.execute(STANDING[what])
        late, books = await run_checks(busy, LATE), await run_checks(busy, CHECKS)
    finally:
        await damaged.rollback()
    assert [finding.count for finding in late if finding.count] == [1]
    assert not broken(books), report(books)


async def test_what_rests_after_a_failure_is_told_as_that_and_is_not_late(busy):
    damaged = busy.transaction()
    await damaged.start()
    try:
        await busy.execute(STANDING["a charge on its way back"])
        await busy.execute(
            "INSERT INTO job_failure (job, item_id, error, failed_first_at, failed_last_at, next_attempt_at)"
            " SELECT 'return_charges', transfer_id::text, 'busy', now(), now(), now() + interval '1 hour'"
            " FROM provider_line"
        )
        resting = await run_checks(busy, LATE)
        await busy.execute("UPDATE job_failure SET next_attempt_at = now() - interval '16 minutes'")
        late = await run_checks(busy, LATE)
    finally:
        await damaged.rollback()
    assert [sum(finding.count for finding in found) for found in (resting, late)] == [0, 1]


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_found(busy, what):
    damaged = busy.transaction()
    await damaged.start()
    try:
        await busy.execute(DAMAGE[what])
        found = {finding.check.invariant for finding in broken(await run_checks(busy, CHECKS))}
    finally:
        await damaged.rollback()
    assert what.split()[0] in found


async def test_the_command_prints_a_table_and_its_exit_code_tells(payment_database, busy):
    async def command():
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "payment",
            "audit",
            env={
                **placeholder_settings("payment"),
                "PAYMENT_DATABASE_DSN": payment_database.dsn,
                "PATH": os.environ["PATH"],
            },
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    code, output = await command()
    assert (code, "all hold" in output) == (0, True), output
    await busy.execute("UPDATE provider_line SET amount_minor = amount_minor + 7")
    code, output = await command()
    await busy.execute("UPDATE provider_line SET amount_minor = amount_minor - 7")
    assert code == 1
    assert "violations" in output


async def test_writers_go_on_while_it_runs_and_never_look_like_damage(payment_database, busy):
    stop = asyncio.Event()
    people = [await add_person(busy) for _ in range(3)]
    for person in people:
        await give(busy, person, 10_000)

    written = []

    async def writer():
        conn = await asyncpg.connect(payment_database.dsn)
        while not stop.is_set():
            turn = len(written)
            hold = authorize(people[turn % 3], 3, hold_id=uuid4(), expires_at=NOON + timedelta(days=1))
            ops = [transfer(people[turn % 3], people[(turn + 1) % 3], 1), hold, capture(hold.hold_id, 2)]
            written.append(await CommittingLedger(slot=2).execute(conn, ops, now=NOON))
        await conn.close()

    task = asyncio.create_task(writer())
    auditor = await asyncpg.connect(payment_database.dsn)
    audits = 0
    while audits < 5 or len(written) < 20:
        findings = await check_invariants(auditor, CHECKS)
        assert not broken(findings), report(findings)
        audits += 1
    stop.set()
    await task
    await auditor.close()
