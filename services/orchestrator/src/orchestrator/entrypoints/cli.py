"""``python -m orchestrator audit [--replay N]``: is every saga of this database as it must be?

Exit code 0 when it is, 1 when not; every fault is printed with the ids of the first sagas.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from chassis.postgres import Connection
from chassis.run import Command
from operations import audit_connection
from orchestrator.adapters.invariants import find_differences, find_faults
from orchestrator.wiring import App


async def run_audit(app: App, arguments: argparse.Namespace) -> int:
    """One snapshot, read only."""
    async with (
        audit_connection(app) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        counts = await conn.fetch("SELECT status, count(*) AS n FROM saga_execution GROUP BY status ORDER BY status")
        stuck = await conn.fetchval("SELECT count(*) FROM saga_execution WHERE needs_operator")
        faults = await find_faults(conn)
        replayed, different = await find_differences(conn, app.registry, sample=arguments.replay)
    tally = ", ".join(f"{row['status']} {row['n']}" for row in counts) or "none"
    say(f"sagas: {tally}; {stuck} need an operator")
    for fault in faults:
        say(f"FAULT {fault.check}: {fault.count}, e.g. {', '.join(map(str, fault.examples))}")
    for saga_id, problems in different:
        say(f"FAULT {saga_id} would run differently today: {'; '.join(problems)}")
    say(f"orchestrator audit: {replayed} histories replayed, {len(faults) + len(different)} faults")
    return 1 if faults or different else 0


async def violations(conn: Connection) -> int:
    """How many checks fail now; histories are not replayed."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        return len(await find_faults(conn))


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replay", type=int, default=200, help="how many ended sagas to replay besides all running")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


AUDIT: Final = Command("is every saga as it must be? exit code 1 when not", run_audit, audit_arguments)
