"""Operators' commands. ``python -m orchestrator audit [--replay N]``: is every saga of this database as it must be?

Exit code 0 when it is, 1 when not; every fault is printed with the ids of the first sagas.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from chassis.run import Command
from operations import audit_connection
from orchestrator.adapters.invariants import find_differences, find_faults
from orchestrator.adapters.saga_reads import count_by_status, count_stuck
from orchestrator.wiring import App


async def run_audit(app: App, arguments: argparse.Namespace) -> int:
    """One snapshot, read only."""
    async with (
        audit_connection(app) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        counts, stuck = await count_by_status(conn), await count_stuck(conn)
        faults = await find_faults(conn)
        replayed, different = await find_differences(conn, app.registry, sample=arguments.replay)
    tally = ", ".join(f"{status} {count}" for status, count in counts.items()) or "none"
    print_line(f"sagas: {tally}; {stuck} need an operator")
    for fault in faults:
        print_line(f"FAULT {fault.check}: {fault.count}, e.g. {', '.join(map(str, fault.examples))}")
    for saga_id, problems in different:
        print_line(f"FAULT {saga_id} would run differently today: {'; '.join(problems)}")
    print_line(f"orchestrator audit: {replayed} histories replayed, {len(faults) + len(different)} faults")
    return 1 if faults or different else 0


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replay", type=int, default=200, help="how many ended sagas to replay besides all running")


def print_line(line: str) -> None:
    sys.stdout.write(line + "\n")


AUDIT: Final = Command("is every saga as it must be? exit code 1 when not", run_audit, audit_arguments)
