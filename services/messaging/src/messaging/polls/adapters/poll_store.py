"""Polls as they are voted in and closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from kernel.rows import rows_affected
from messaging.core.adapters import poll_store as core
from messaging.core.domain.poll import Poll

_FIND: Final = """
    SELECT dialog_id, seq, options, multiple, anonymous, closes_at, closed_at FROM poll
    WHERE dialog_id = $1 AND seq = $2
"""
_VOTE: Final = """
    INSERT INTO poll_vote (dialog_id, seq, user_id, option, voted_at)
    SELECT $1, $2, $3, option, $5 FROM unnest($4::smallint[]) AS t (option)
"""
_CLOSE: Final = "UPDATE poll SET closed_at = $3 WHERE dialog_id = $1 AND seq = $2 AND closed_at IS NULL"
_DUE: Final = """
    SELECT dialog_id, seq FROM poll WHERE closed_at IS NULL AND closes_at <= $1 ORDER BY closes_at LIMIT $2
"""


class PollStore(core.PollStore):
    async def find(self, dialog_id: UUID, seq: int) -> Poll | None:
        row = await self._conn.fetchrow(_FIND, dialog_id, seq)
        return None if row is None else Poll(**dict(row))

    async def replace_votes(self, poll: Poll, user_id: UUID, options: Sequence[int], now: datetime) -> bool:
        """Whether the person's votes changed."""
        mine = (poll.dialog_id, poll.seq, user_id)
        rows = await self._conn.fetch(
            "SELECT option FROM poll_vote WHERE dialog_id = $1 AND seq = $2 AND user_id = $3", *mine
        )
        if {row["option"] for row in rows} == set(options):
            return False
        await self._conn.execute("DELETE FROM poll_vote WHERE dialog_id = $1 AND seq = $2 AND user_id = $3", *mine)
        await self._conn.execute(_VOTE, *mine, list(options), now)
        return True

    async def close(self, poll: Poll, now: datetime) -> bool:
        """False when it is closed."""
        return rows_affected(await self._conn.execute(_CLOSE, poll.dialog_id, poll.seq, now)) > 0

    async def due(self, now: datetime, limit: int) -> list[tuple[UUID, int]]:
        """Polls whose time is over."""
        rows = await self._conn.fetch(_DUE, now, limit)
        return [(row["dialog_id"], row["seq"]) for row in rows]
