"""Pin a message for everybody in the dialog, or unpin it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from messaging.core.domain.permissions import Act
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.touching import touch_message

PINS_MAX: Final = 100


class TooManyPinsError(DomainError):
    code: ClassVar[str] = "messaging.pin.too_many"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = f"A dialog has at most {PINS_MAX} pinned messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinMessage:
    dialog_id: UUID
    seq: int
    user_id: UUID
    pinned: bool


async def pin_message(command: PinMessage, tx: Tx) -> None:
    """Doing it again changes nothing."""
    touched = await touch_message(tx, command.dialog_id, command.seq, command.user_id, Act.PIN)
    if command.pinned:
        count = await tx.conn.fetchval("SELECT count(*) FROM pinned_message WHERE dialog_id = $1", command.dialog_id)
        done = await tx.conn.execute(
            "INSERT INTO pinned_message (dialog_id, seq, pinned_by, pinned_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT DO NOTHING",
            *(command.dialog_id, command.seq, command.user_id, tx.now),
        )
        if count >= PINS_MAX and not done.endswith(" 0"):
            raise TooManyPinsError
    else:
        done = await tx.conn.execute(
            "DELETE FROM pinned_message WHERE dialog_id = $1 AND seq = $2", command.dialog_id, command.seq
        )
    if not done.endswith(" 0"):
        tx.stream.change(
            touched.dialog,
            "pin.changed",
            actor_id=command.user_id,
            message_seq=command.seq,
            payload={"pinned": command.pinned},
        )
