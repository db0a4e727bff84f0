"""Put a reaction on a message, or take it back. Doing either twice changes nothing the second time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.permissions import Act
from messaging.core.domain.reactions import KINDS_MAX, PER_PERSON_MAX, TooManyReactionsError
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.touching import Touched, touch_message


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    dialog_id: UUID
    seq: int
    user_id: UUID
    emoji: str
    added: bool


async def react(command: React, tx: Tx) -> bool:
    """Whether something changed."""
    touched = await touch_message(tx, command.dialog_id, command.seq, command.user_id, Act.REACT)
    if command.added:
        await _require_room(command, tx)
        done = await tx.conn.execute(
            "INSERT INTO reaction (dialog_id, seq, emoji, user_id, created_at) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT DO NOTHING",
            *(command.dialog_id, command.seq, command.emoji, command.user_id, tx.now),
        )
    else:
        done = await tx.conn.execute(
            "DELETE FROM reaction WHERE dialog_id = $1 AND seq = $2 AND emoji = $3 AND user_id = $4",
            *(command.dialog_id, command.seq, command.emoji, command.user_id),
        )
    if done.endswith(" 0"):
        return False
    await _tell(command, touched, tx)
    return True


async def _require_room(command: React, tx: Tx) -> None:
    row = await tx.conn.fetchrow(
        "SELECT count(DISTINCT emoji) FILTER (WHERE emoji <> $3) AS kinds, "
        "count(*) FILTER (WHERE user_id = $4 AND emoji <> $3) AS own, coalesce(bool_or(emoji = $3), false) AS known "
        "FROM reaction WHERE dialog_id = $1 AND seq = $2",
        *(command.dialog_id, command.seq, command.emoji, command.user_id),
    )
    if row is not None and ((row["kinds"] >= KINDS_MAX and not row["known"]) or row["own"] >= PER_PERSON_MAX):
        raise TooManyReactionsError


async def _tell(command: React, touched: Touched, tx: Tx) -> None:
    count = await tx.conn.fetchval(
        "SELECT count(*) FROM reaction WHERE dialog_id = $1 AND seq = $2 AND emoji = $3",
        *(command.dialog_id, command.seq, command.emoji),
    )
    tx.stream.change(
        touched.dialog,
        "reaction.changed",
        actor_id=command.user_id,
        message_seq=command.seq,
        payload={
            "user_id": command.user_id,
            "emoji": command.emoji,
            "added": command.added,
            "count": count,
            "sender_id": touched.row["sender_id"],
        },
    )
