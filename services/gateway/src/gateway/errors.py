"""Why a command of the gateway ends early: one sentence and an exit code."""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Something is broken; the message is for the person at the terminal."""

    exit_code: ClassVar[int] = 1


class SettingError(GatewayError):
    """A variable is missing or wrong; the message names it."""

    exit_code = 78
