"""Scheduled messages as far as sending them goes: held while they wait, marked in the commit that stores them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection

_HOLD: Final = """
    SELECT scheduled_id FROM scheduled_message WHERE scheduled_id = ANY($1) AND status = 'pending'
    ORDER BY scheduled_id FOR UPDATE
"""
_MARK_SENT: Final = """
    UPDATE scheduled_message s SET status = 'sent', seq = t.seq, body = ''
    FROM unnest($1::uuid[], $2::bigint[]) AS t (scheduled_id, seq) WHERE s.scheduled_id = t.scheduled_id
"""


class WaitingSendStore(OnConnection):
    async def hold(self, scheduled_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Those of them that wait to be sent; until the commit nobody calls them back."""
        if not scheduled_ids:
            return frozenset()
        return frozenset(row["scheduled_id"] for row in await self._conn.fetch(_HOLD, scheduled_ids))

    async def mark_sent(self, sent: Sequence[tuple[UUID, int]]) -> None:
        """(id, seq) of those that are stored in this transaction."""
        await self._conn.execute(_MARK_SENT, [each[0] for each in sent], [each[1] for each in sent])
