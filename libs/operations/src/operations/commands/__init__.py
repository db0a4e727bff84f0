"""``python -m <service> audit | dead-letters | parked | replay``: what an operator does by hand.

Every change is on record under the account that called (``operations.acts``).
"""

from __future__ import annotations

from chassis.run import Command
from operations.app import Handlers
from operations.commands.audit import audit_command
from operations.commands.dead_letters import dead_letters_command
from operations.commands.parked import PARKED
from operations.commands.replay import REPLAY

__all__ = ["audit_command", "operator_commands"]


def operator_commands(handlers: Handlers | None = None) -> dict[str, Command]:
    """By name, for ``Service.commands``. A service that consumes nothing has no dead letters."""
    commands = {"parked": PARKED, "replay": REPLAY}
    return commands if handlers is None else {"dead-letters": dead_letters_command(handlers), **commands}
