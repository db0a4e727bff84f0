"""What an operator can ask of payment on the command line."""

from __future__ import annotations

from typing import Final

from operations import audit_command
from operations.invariants import run_checks
from payment.adapters.invariants import ALL

COMMANDS: Final = {"audit": audit_command(lambda _app, conn, _given: run_checks(conn, ALL))}
