"""``python -m <service> audit``: every invariant on the live database, in one snapshot."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.postgres import Connection
from chassis.run import Command
from operations.app import OperatedApp
from operations.audits import audit_connection
from operations.commands.console import DONE, FAILED, print_line
from operations.invariants import Finding, broken, report, snapshot

Find = Callable[[Any, Connection, argparse.Namespace], Awaitable[Sequence[Finding]]]


def audit_command(find: Find, *arguments: Callable[[argparse.ArgumentParser], None]) -> Command:
    """``find(app, conn, given)`` only reads. Exit code 1 when it found something."""

    async def run(app: OperatedApp, given: argparse.Namespace) -> int:
        async with audit_connection(app) as conn, snapshot(conn):
            findings = await find(app, conn, given)
        print_line(report(findings))
        return FAILED if broken(findings) else DONE

    return Command("check every invariant on the live database; exit code 1 when one does not hold", run, *arguments)
