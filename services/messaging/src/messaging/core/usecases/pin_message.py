"""Pin a message for everybody in the dialog, or unpin it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kernel.errors import DomainError, Kind
from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_message_for import load_message_for
from messaging.core.usecases.ports import Tx

PINS_MAX: Final = 100


class TooManyPinsError(DomainError):
    code, kind = "messaging.pin.too_many", Kind.CONFLICT
    title = f"A dialog has at most {PINS_MAX} pinned messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinMessage(MessageCommand):
    pinned: bool


async def pin_message(command: PinMessage, tx: Tx) -> None:
    """Doing it again changes nothing. Raises ``TooManyPinsError``."""
    loaded = await load_message_for(tx, command.dialog_id, command.seq, command.user_id, Act.PIN)
    if command.pinned:
        count = await tx.pins.count(command.dialog_id)
        changed = await tx.pins.add(command.dialog_id, command.seq, by=command.user_id, now=tx.now)
        if count >= PINS_MAX and changed:
            raise TooManyPinsError
    else:
        changed = await tx.pins.remove(command.dialog_id, command.seq)
    if changed:
        tx.stream.change(
            loaded.dialog,
            "pin.changed",
            actor_id=command.user_id,
            message_seq=command.seq,
            payload={"pinned": command.pinned},
        )
