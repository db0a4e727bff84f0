"""Messages as they are changed after they were stored."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from kernel.rows import rows_affected
from messaging.core.adapters.message_reads import MessageReads
from messaging.core.usecases.ports import Row

_KEEP_REVISION: Final = """
    INSERT INTO message_revision (dialog_id, seq, version, sender_id, content, written_at)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
_REPLACE: Final = """
    UPDATE message SET content = $4, version = version + 1, edited_at = $5
    WHERE dialog_id = $1 AND seq = $2 AND created_at = $3
"""
_EMPTY: Final = """
    UPDATE message SET content = NULL, mentions = '{}', deleted_at = $4, deleted_by = $5
    WHERE dialog_id = $1 AND seq = $2 AND created_at = $3
"""
_HIDE: Final = "INSERT INTO hidden_message (user_id, dialog_id, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
# What hangs on a message and goes with it.
_HANGING: Final = ("message_revision", "mention", "reaction", "pinned_message", "poll_vote", "poll", "card")


class MessageStore(MessageReads):
    """What is read of messages, and what is written of them; a row is one that ``messages_at`` gave."""

    async def replace_content(self, row: Row, sealed: bytes, now: datetime) -> None:
        """The message says something else from now on; what it said before is kept as a revision."""
        await self._conn.execute(
            _KEEP_REVISION,
            *(row["dialog_id"], row["seq"], row["version"], row["sender_id"], row["content"]),
            row["edited_at"] or row["created_at"],
        )
        await self._conn.execute(_REPLACE, row["dialog_id"], row["seq"], row["created_at"], sealed, now)

    async def empty(self, row: Row, *, by: UUID, now: datetime) -> None:
        """Deleted for everybody: its place stays; its content and what hung on it, but for its files, go."""
        await self._conn.execute(_EMPTY, row["dialog_id"], row["seq"], row["created_at"], now, by)
        for table in _HANGING:
            await self._conn.execute(
                f"DELETE FROM {table} WHERE dialog_id = $1 AND seq = $2", row["dialog_id"], row["seq"]
            )

    async def hide(self, user_id: UUID, dialog_id: UUID, seq: int) -> bool:
        """Deleted for this person. Whether it was not before."""
        return rows_affected(await self._conn.execute(_HIDE, user_id, dialog_id, seq)) > 0
