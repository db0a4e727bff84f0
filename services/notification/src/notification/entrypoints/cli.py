"""Operators' commands: ``python -m notification dead-letters``, ``parked``, …; ``--help`` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chassis.run import Command
from notification.entrypoints.consumers import subscriptions
from operations import operator_commands

COMMANDS: Final[Mapping[str, Command]] = operator_commands(subscriptions)
