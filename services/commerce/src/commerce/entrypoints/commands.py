"""What an operator does by hand: ``python -m commerce audit`` and its siblings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from chassis.run import Command
from commerce.adapters.audit import CHECKS, audit
from commerce.wiring import App


async def audit_command(app: App, arguments: argparse.Namespace) -> int:
    """Exit 0 when every invariant holds, 1 when one does not."""
    stuck_after_s = arguments.stuck_after_s or app.settings.stuck_after_s
    async with app.database.read() as conn:
        findings = await audit(conn, stuck_after_s=stuck_after_s)
    broken = {finding.check.name: finding for finding in findings}
    for check in CHECKS:
        finding = broken.get(check.name)
        say(f"{'BROKEN' if finding else 'ok':6}  {check.name}  {check.says}")
        if finding:
            say(f"        {finding.count} rows, e.g. {finding.shown}")
    say(f"commerce audit: {len(CHECKS)} checks, {len(findings)} broken")
    return 1 if findings else 0


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stuck-after-s", type=float, help="age at which a pending checkout counts as stuck")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


COMMANDS: Mapping[str, Command] = {
    "audit": Command("check every invariant on the live database", audit_command, audit_arguments),
}
