"""What hangs on a message beside its content: attachments, a poll, a card. Found before it is stored, tied to it after.

Each kind of part is a module with ``find`` and ``attach``; a message without parts costs nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kernel.errors import DomainError
from messaging.adapters.transaction import MessagingTx
from messaging.domain.message import SendMessage


@dataclass(frozen=True, slots=True)
class Parts:
    """What readers are shown of the parts, by the field of the message document."""

    fields: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return self.fields


NONE = Parts()


async def find_parts(tx: MessagingTx, commands: Sequence[SendMessage]) -> list[Parts | DomainError]:
    """The parts of each message, or why it cannot have them."""
    del tx
    return [NONE for _ in commands]


async def attach_parts(tx: MessagingTx, stored: Sequence[tuple[SendMessage, int, Parts]]) -> None:
    """Tie parts to the messages that were stored."""
    del tx, stored
