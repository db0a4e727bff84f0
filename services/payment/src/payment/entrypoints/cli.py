"""What an operator can ask of payment on the command line."""

from __future__ import annotations

from typing import Final

from operations import audit_command, operator_commands
from operations.invariants import run_checks
from payment.adapters.invariants import ALL
from payment.entrypoints.consumers import subscriptions

COMMANDS: Final = {
    "audit": audit_command(lambda _app, conn, _given: run_checks(conn, ALL)),
    **operator_commands(subscriptions),
}
