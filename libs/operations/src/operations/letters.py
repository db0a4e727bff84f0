"""Dead letters as a person may see them.

Invariant: no value of a field marked ``pii`` and nothing unread is shown; a body that cannot be read shows its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from chassis.telemetry.masking import mask as mask_value
from chassis.telemetry.masking import mask_text
from contracts.masking import mask
from contracts.registry import record_types
from eventing.dead_letters import Content, DeadLetter
from eventing.redrive import RedriveReport
from kernel.errors import DomainError, Kind


class DeadLetterNotFoundError(DomainError):
    code, kind = "operations.dead_letter.not_found", Kind.NOT_FOUND
    title = "There is no such dead letter"


class DeadLetterClosedError(DomainError):
    """Redriven or discarded before."""

    code, kind = "operations.dead_letter.closed", Kind.CONFLICT
    title = "The dead letter is closed"


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter's content: ``body`` is None when it cannot be read, and ``unreadable`` says why."""

    headers: dict[str, str]
    body: dict[str, Any] | None
    unreadable: str | None


def show(letter: DeadLetter, content: Content) -> Shown:
    """Headers and body with personal data hidden."""
    headers = {
        name: str(mask_value(value.decode("utf-8", "backslashreplace"), name)) for name, value in content.headers
    }
    record = record_types().get(letter.type)
    if record is None:
        return Shown(headers, None, f"{len(content.body)} bytes of a type nobody knows here")
    try:
        return Shown(headers, mask(record.message.FromString(content.body)), None)
    except (DecodeError, ValueError, TypeError):
        return Shown(headers, None, f"{len(content.body)} bytes that are no {letter.type}")


def key_of(letter: DeadLetter) -> str:
    return (letter.key or b"").decode("utf-8", "backslashreplace")


def error_of(letter: DeadLetter) -> str:
    """What went wrong, without what looks personal in it."""
    return mask_text(letter.error)


def failures(report: RedriveReport) -> list[tuple[int, str]]:
    """Letters that failed again, each with its error."""
    return [(letter_id, mask_text(error)) for letter_id, error in report.failed]
