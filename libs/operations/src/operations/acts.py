"""What a person did to a service's records, as one log line each: who, what, to what, and how it ended."""

from __future__ import annotations

import getpass
import os
from typing import Any, Literal

import structlog

log = structlog.get_logger("operator")

Via = Literal["command", "http"]


def audited(action: str, *, service: str, actor: str, via: Via, outcome: str, **target: Any) -> None:
    """Written after the act: an act that was refused or failed is told as well, by its outcome."""
    log.info("operator.act", action=action, service=service, actor=actor, via=via, outcome=outcome, **target)


def person_at_the_console() -> str:
    """The account that called, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
