"""Friendships, blocks and follows in ``relation``; what is between two people changes under the lock of their pair."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

import asyncpg

from auth.domain.ids import UserId
from auth.domain.relation import Relation, RelationKind, pair_id
from chassis.postgres import OnConnection
from kernel.rows import object_of

_LOCK_PAIR: Final = """
SELECT pg_advisory_xact_lock(hashtextextended($1, 20))
"""
_LOCK_PERSON: Final = """
SELECT true FROM user_account WHERE id = $1 AND deleted_at IS NULL FOR {strength}
"""
_SET: Final = """
INSERT INTO relation (kind, from_id, to_id, version, active, since) VALUES ($1, $2, $3, 1, $4, $5)
ON CONFLICT (kind, from_id, to_id) DO UPDATE
    SET active = excluded.active, since = excluded.since, version = relation.version + 1
    WHERE relation.active <> excluded.active
RETURNING kind, from_id, to_id, version, active, since
"""
_HAS: Final = """
SELECT active FROM relation WHERE kind = $1 AND from_id = $2 AND to_id = $3
"""
_COUNT: Final = """
SELECT count(*) FROM relation WHERE kind = $1 AND from_id = $2 AND active
"""
_END_ALL: Final = """
WITH held AS (
    SELECT kind, from_id, to_id FROM relation WHERE active AND (from_id = $1 OR to_id = $1)
    ORDER BY kind, from_id, to_id FOR UPDATE
)
UPDATE relation r SET active = false, since = $2, version = r.version + 1 FROM held h
WHERE (r.kind, r.from_id, r.to_id) = (h.kind, h.from_id, h.to_id)
"""


class RelationStore(OnConnection):
    async def lock_pair(self, one: UserId, other: UserId) -> None:
        await self._conn.execute(_LOCK_PAIR, pair_id(one, other))

    async def lock_people(self, counted: Collection[UserId], others: Collection[UserId]) -> bool:
        found = 0
        for user_id in sorted({*counted, *others}):  # in one order, so that two who meet do not wait for each other
            strength = "NO KEY UPDATE" if user_id in counted else "SHARE"
            found += bool(await self._conn.fetchval(_LOCK_PERSON.format(strength=strength), user_id))
        return found == len({*counted, *others})

    async def set(
        self, kind: RelationKind, from_id: UserId, to_id: UserId, now: datetime, *, active: bool
    ) -> Relation | None:
        if not active and not await self.has(kind, from_id, to_id):
            return None
        if kind is RelationKind.FRIEND:
            await self._conn.execute(_SET, kind, to_id, from_id, active, now)
        row = await self._conn.fetchrow(_SET, kind, from_id, to_id, active, now)
        return _relation_of(row) if row else None

    async def has(self, kind: RelationKind, from_id: UserId, to_id: UserId) -> bool:
        return bool(await self._conn.fetchval(_HAS, kind, from_id, to_id))

    async def count(self, kind: RelationKind, from_id: UserId) -> int:
        found: int = await self._conn.fetchval(_COUNT, kind, from_id)
        return found

    async def end_all(self, user_id: UserId, now: datetime) -> None:
        await self._conn.execute(_END_ALL, user_id, now)


def _relation_of(row: asyncpg.Record) -> Relation:
    return object_of(Relation, row, kind=RelationKind(row["kind"]))
