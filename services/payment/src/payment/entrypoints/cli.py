"""What an operator can ask of payment on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from chassis.run import Command
from operations import audit_connection, operator_commands
from payment.adapters import invariants
from payment.entrypoints.consumers import subscriptions
from payment.wiring import App

EXIT_BROKEN: Final = 1


async def run_audit(app: App, _: argparse.Namespace) -> int:
    """Exit code 1 when an invariant does not hold."""
    async with audit_connection(app) as conn:
        findings = await invariants.check_invariants(conn, (*invariants.CHECKS, *invariants.LATE))
    sys.stdout.write(invariants.report(findings) + "\n")
    return EXIT_BROKEN if any(finding.count for finding in findings) else 0


COMMANDS: Final = {
    "audit": Command("check every invariant on the live database", run_audit),
    **operator_commands(subscriptions),
}
