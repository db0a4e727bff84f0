"""Operators' commands. ``python -m orchestrator audit [--replay N]``: is every saga of this database as it must be?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from chassis.postgres import Connection
from operations import audit_command
from operations.commands.console import print_line
from operations.invariants import Check, Finding, run_checks
from orchestrator.adapters.invariants import CHECKS, find_differences
from orchestrator.adapters.saga_reads import count_by_status, count_stuck
from orchestrator.wiring import App


async def find_violations(app: App, conn: Connection, given: argparse.Namespace) -> Sequence[Finding]:
    """What the checks find, and histories that today's code would not lead to. Says first how many sagas there are."""
    counts, stuck = await count_by_status(conn), await count_stuck(conn)
    tally = ", ".join(f"{status} {count}" for status, count in counts.items()) or "none"
    print_line(f"sagas: {tally}; {stuck} need an operator")
    replayed, different = await find_differences(conn, app.registry, sample=given.replay)
    replays = Check("replay", f"{replayed} histories replayed with today's code lead to their sagas", sql="")
    examples = [f"{saga_id} would run differently today: {'; '.join(problems)}" for saga_id, problems in different]
    return [*await run_checks(conn, CHECKS), Finding(replays, len(different), examples)]


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replay", type=int, default=200, help="how many ended sagas to replay besides all running")


COMMANDS: Final = {"audit": audit_command(find_violations, audit_arguments)}
