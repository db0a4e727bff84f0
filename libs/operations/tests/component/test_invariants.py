"""Checks run on a database: what breaks them is counted and shown, all of one moment."""

import argparse
import asyncio

from operations import audit_command, audit_connection
from operations.invariants import Check, broken, check_invariants, run_checks, snapshot

HOLDS = Check("INV-1", "nobody is called so", "SELECT user_id FROM welcomed WHERE user_id = 'nobody'")
MANY = Check("INV-2", "no number is above the limit", "SELECT n FROM generate_series(1, 9) AS n WHERE n > $1", (2,))
WIDE = Check("INV-3", "no pair is unlike", "SELECT 1 AS one, 'b' AS other")
UNNAMED = Check("INV-4", "no text is put together", "SELECT 'a' || 'b' UNION ALL SELECT 'c' || NULL")


async def test_each_check_has_its_finding(world):
    async with audit_connection(world.app) as conn:
        findings = await check_invariants(conn, (HOLDS, MANY, WIDE, UNNAMED))
    assert [(each.check, each.count, each.examples) for each in findings] == [
        (HOLDS, 0, []),
        (MANY, 7, ["3", "4", "5", "6", "7"]),
        (WIDE, 1, ["one=1, other=b"]),
        (UNNAMED, 2, ["ab", "None"]),
    ]
    assert [each.check for each in broken(findings)] == [MANY, WIDE, UNNAMED]


async def test_what_others_commit_meanwhile_is_not_seen(world):
    welcomed = Check("INV-5", "nobody was welcomed meanwhile", "SELECT user_id FROM welcomed WHERE user_id = 'late'")
    async with audit_connection(world.app) as conn, snapshot(conn):
        assert not broken(await run_checks(conn, [welcomed]))
        async with world.app.database.begin() as other:
            await other.execute("INSERT INTO welcomed VALUES ('late')")
        assert not broken(await check_invariants(conn, [welcomed]))
    async with audit_connection(world.app) as conn:
        assert broken(await check_invariants(conn, [welcomed]))


async def test_the_command_prints_the_table_and_its_exit_code_tells(world, capsys):
    audit = audit_command(lambda _app, conn, given: run_checks(conn, given.checks))
    assert await audit.run(world.app, argparse.Namespace(checks=[HOLDS])) == 0
    assert await audit.run(world.app, argparse.Namespace(checks=[HOLDS, WIDE])) == 1
    sound, unsound = capsys.readouterr().out.split("1 checks, 0 broken: all hold\n")
    assert sound.splitlines() == ["invariant   broken  what it says", "INV-1            0  nobody is called so"]
    assert unsound.splitlines()[2:] == [
        "INV-3            1  no pair is unlike",
        f"{'':20}one=1, other=b",
        "2 checks, 1 broken: 1 violations",
    ]


async def test_a_check_that_finds_nothing_among_many_rows_takes_no_square_of_them(world):
    """Planned as if the few examples were found at once, this one would compare each row with each."""
    async with world.app.database.begin() as conn:
        await conn.execute("SET LOCAL random_page_cost = 4")  # as an operator's own connection has it
        for table in "ours", "theirs":
            await conn.execute(
                f"CREATE TEMP TABLE {table} ON COMMIT DROP AS"
                " SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE n END AS account, CASE WHEN n % 2 = 0 THEN n ELSE 1 END AS version,"
                " n AS id FROM generate_series(1, 60000) AS n"
            )
            await conn.execute(f"CREATE INDEX ON {table} (account, version)")
            await conn.execute(f"ANALYZE {table}")
        same = Check(
            "OPS-0",
            "every row is there twice",
            """SELECT o.id FROM ours o LEFT JOIN theirs a ON a.account = o.account AND a.version = o.version
               LEFT JOIN theirs b ON b.account = o.account AND b.version = o.version
               WHERE a.id IS DISTINCT FROM o.id OR b.id IS DISTINCT FROM o.id""",
        )
        async with asyncio.timeout(10):
            [finding] = await run_checks(conn, [same])
    assert finding.count == 0
