"""How that stands which the feed was told of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import object_of
from messaging.activity.domain.activity import LatestReaction, Newcomer

_REACTIONS: Final = """
    SELECT DISTINCT ON (r.dialog_id, r.seq, r.user_id) r.dialog_id, r.seq, r.user_id, r.emoji, r.created_at
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS t (dialog_id, seq, user_id)
    JOIN reaction r USING (dialog_id, seq, user_id)
    ORDER BY r.dialog_id, r.seq, r.user_id, r.created_at DESC
"""
_NEWCOMERS: Final = """
    SELECT m.dialog_id, m.user_id, m.joined_at, m.joined_seq, d.kind, d.member_count
    FROM unnest($1::uuid[], $2::uuid[]) AS t (dialog_id, user_id)
    JOIN member m USING (dialog_id, user_id) JOIN dialog d USING (dialog_id) WHERE m.status IN ('active', 'muted')
"""
_KEEPERS: Final = """
    SELECT t.dialog_id, k.user_id FROM unnest($1::uuid[]) AS t (dialog_id) CROSS JOIN LATERAL (
        SELECT user_id FROM member
        WHERE dialog_id = t.dialog_id AND role IN ('owner', 'admin') AND status IN ('active', 'muted')
        ORDER BY user_id LIMIT 20
    ) AS k
"""
# Who answered before each answer, of the last so many answers: bounded, however long a thread is.
_TALKERS: Final = """
    SELECT DISTINCT t.dialog_id, t.seq, m.sender_id
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS t (dialog_id, seq, root_seq) CROSS JOIN LATERAL (
        SELECT sender_id FROM message
        WHERE dialog_id = t.dialog_id AND thread_seq = t.root_seq AND seq < t.seq AND deleted_at IS NULL
          AND sender_id IS NOT NULL
        ORDER BY seq DESC LIMIT $4
    ) AS m
"""


class HappeningReads(OnConnection):
    async def talkers_before(
        self, answers: Sequence[tuple[UUID, int, int]], limit: int
    ) -> dict[tuple[UUID, int], list[UUID]]:
        """(dialog, seq, first of the thread) → by answer, who had answered there before, of the last ``limit``."""
        found: dict[tuple[UUID, int], list[UUID]] = {}
        if answers:
            columns = [list(column) for column in zip(*answers, strict=True)]
            for row in await self._conn.fetch(_TALKERS, *columns, limit):
                found.setdefault((row["dialog_id"], row["seq"]), []).append(row["sender_id"])
        return found

    async def latest_reactions(
        self, places: Collection[tuple[UUID, int, UUID]]
    ) -> dict[tuple[UUID, int, UUID], LatestReaction]:
        """(dialog, seq, person) → their latest reaction to the message, of those who have one."""
        rows = await self._conn.fetch(_REACTIONS, *([each[n] for each in places] for n in range(3)))
        return {
            (row["dialog_id"], row["seq"], row["user_id"]): LatestReaction(row["emoji"], row["created_at"])
            for row in rows
        }

    async def newcomers(self, places: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Newcomer]:
        """(dialog, person) → their place, of those who are in."""
        rows = await self._conn.fetch(_NEWCOMERS, [each[0] for each in places], [each[1] for each in places])
        return {(row["dialog_id"], row["user_id"]): object_of(Newcomer, row) for row in rows}

    async def keepers_of(self, dialog_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
        """Dialog → its owners and admins, at most 20."""
        found: dict[UUID, list[UUID]] = {}
        if dialog_ids:
            for row in await self._conn.fetch(_KEEPERS, list(dialog_ids)):
                found.setdefault(row["dialog_id"], []).append(row["user_id"])
        return found
