"""Reactions on messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from chassis.postgres import OnConnection
from kernel.rows import rows_affected
from messaging.core.domain.reactions import Reaction, ReactionCounts

_ADD: Final = """
    INSERT INTO reaction (dialog_id, seq, emoji, user_id, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING
"""
_REMOVE: Final = "DELETE FROM reaction WHERE dialog_id = $1 AND seq = $2 AND emoji = $3 AND user_id = $4"
_COUNTS: Final = """
    SELECT count(DISTINCT emoji) FILTER (WHERE emoji <> $3) AS kinds,
           count(*) FILTER (WHERE user_id = $4 AND emoji <> $3) AS own, coalesce(bool_or(emoji = $3), false) AS known
    FROM reaction WHERE dialog_id = $1 AND seq = $2
"""
_COUNT: Final = "SELECT count(*) FROM reaction WHERE dialog_id = $1 AND seq = $2 AND emoji = $3"


class ReactionStore(OnConnection):
    async def add(self, reaction: Reaction, now: datetime) -> bool:
        """Whether it was not there."""
        return rows_affected(await self._conn.execute(_ADD, *_place(reaction), reaction.user_id, now)) > 0

    async def remove(self, reaction: Reaction) -> bool:
        """Whether it was there."""
        return rows_affected(await self._conn.execute(_REMOVE, *_place(reaction), reaction.user_id)) > 0

    async def count(self, reaction: Reaction) -> int:
        """How many people have this emoji on the message."""
        return int(await self._conn.fetchval(_COUNT, *_place(reaction)))

    async def counts_beside(self, reaction: Reaction) -> ReactionCounts:
        """What is on the message beside this reaction."""
        row = await self._conn.fetchrow(_COUNTS, *_place(reaction), reaction.user_id)
        assert row is not None  # noqa: S101 -- an aggregate has one row
        return ReactionCounts(**dict(row))


def _place(reaction: Reaction) -> tuple[object, ...]:
    return reaction.dialog_id, reaction.seq, reaction.emoji
