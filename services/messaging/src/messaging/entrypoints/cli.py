"""Operators' commands: ``python -m messaging audit`` and its siblings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chassis.run import Command
from messaging.entrypoints.consumers import stream_consumer
from messaging.lifecycle.entrypoints import cli as lifecycle
from operations.commands.dead_letters import dead_letters_command

COMMANDS: Final[Mapping[str, Command]] = {
    **lifecycle.COMMANDS,
    "follower-dead-letters": dead_letters_command(stream_consumer),
}
