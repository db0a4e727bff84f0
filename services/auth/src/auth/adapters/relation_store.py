"""Relations and friend requests. Everything between two people happens under the lock of their pair."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from auth.domain.card import Card, card_for
from auth.domain.graph import FriendRequest, Relation, RelationKind, pair_id
from auth.domain.settings import Audience
from kernel.country import Country

_SET: Final = """
    INSERT INTO relation (kind, from_id, to_id, version, active, since) VALUES ($1, $2, $3, 1, $4, $5)
    ON CONFLICT (kind, from_id, to_id) DO UPDATE
        SET active = excluded.active, since = excluded.since, version = relation.version + 1
        WHERE relation.active <> excluded.active
    RETURNING kind, from_id, to_id, version, active, since
"""
_REQUEST: Final = "request_id, from_id, to_id, message, status, created_at, decided_at"
_LIST: Final = """
    SELECT {other} AS user_id, r.since, u.name, u.username, u.country, u.show_profile_to,
           EXISTS (SELECT FROM relation f WHERE f.kind = 'friend' AND f.active
                   AND f.from_id = $2 AND f.to_id = {other}) AS friends
    FROM relation r JOIN user_account u ON u.id = {other}
    WHERE r.kind = $1 AND r.{mine} = $2 AND r.active AND u.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM relation b WHERE b.kind = 'block' AND b.active
                      AND b.from_id = {other} AND b.to_id = $2)
      AND ($3::timestamptz IS NULL OR (r.since, {other}) < ($3, $4::uuid))
    ORDER BY r.since DESC, {other} DESC LIMIT $5
"""
_SUGGESTED: Final = """
    SELECT f2.to_id AS user_id, u.name, u.username, u.country, u.show_profile_to, false AS friends,
           count(*) AS mutual_friends
    FROM relation f1 JOIN relation f2 ON f2.kind = 'friend' AND f2.active AND f2.from_id = f1.to_id
    JOIN user_account u ON u.id = f2.to_id AND u.deleted_at IS NULL AND u.show_profile_to = 'everyone'
    WHERE f1.kind = 'friend' AND f1.active AND f1.from_id = $1 AND f2.to_id <> $1
      AND NOT EXISTS (SELECT FROM relation x WHERE x.active AND x.kind IN ('friend', 'block')
                      AND x.from_id = $1 AND x.to_id = f2.to_id)
      AND NOT EXISTS (SELECT FROM relation x WHERE x.active AND x.kind = 'block'
                      AND x.from_id = f2.to_id AND x.to_id = $1)
      AND NOT EXISTS (SELECT FROM friend_request q WHERE q.status = 'pending'
                      AND ((q.from_id = $1 AND q.to_id = f2.to_id) OR (q.to_id = $1 AND q.from_id = f2.to_id)))
    GROUP BY f2.to_id, u.name, u.username, u.country, u.show_profile_to ORDER BY mutual_friends DESC, f2.to_id LIMIT $2
"""
_CARD: Final = """
    SELECT u.id AS user_id, u.name, u.username, u.country, u.show_profile_to,
           EXISTS (SELECT FROM relation f WHERE f.kind = 'friend' AND f.active
                   AND f.from_id = $1 AND f.to_id = $2) AS friends
    FROM user_account u WHERE u.id = $2 AND u.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM relation b WHERE b.kind = 'block' AND b.active AND b.from_id = $2 AND b.to_id = $1)
"""
_END_RELATIONS: Final = """
    WITH held AS (
        SELECT kind, from_id, to_id FROM relation WHERE active AND (from_id = $1 OR to_id = $1)
        ORDER BY kind, from_id, to_id FOR UPDATE
    )
    UPDATE relation r SET active = false, since = $2, version = r.version + 1 FROM held h
    WHERE (r.kind, r.from_id, r.to_id) = (h.kind, h.from_id, h.to_id)
"""
_END_REQUESTS: Final = """
    WITH held AS (
        SELECT request_id FROM friend_request WHERE status = 'pending' AND (from_id = $1 OR to_id = $1)
        ORDER BY request_id FOR UPDATE
    )
    UPDATE friend_request q
    SET decided_at = $2, status = CASE q.from_id WHEN $1 THEN 'cancelled' ELSE 'declined' END
    FROM held h WHERE q.request_id = h.request_id
"""


class GraphStore:
    """Bound to one transaction, or to one connection for reading."""

    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn

    async def lock_pair(self, one: UUID, other: UUID) -> None:
        """Nobody else changes anything between the two until the commit."""
        await self._conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 20))", pair_id(one, other))

    async def hold(self, counted: Collection[UUID], others: Collection[UUID]) -> bool:
        """Whether all of them exist; none ends before the commit, and nobody else counts for ``counted``."""
        found = 0
        for user_id in sorted({*counted, *others}):  # in one order, so that two who meet do not wait for each other
            lock = "NO KEY UPDATE" if user_id in counted else "SHARE"
            row = await self._conn.fetchval(
                f"SELECT true FROM user_account WHERE id = $1 AND deleted_at IS NULL FOR {lock}", user_id
            )
            found += bool(row)
        return found == len({*counted, *others})

    async def end_all(self, user_id: UUID, now: datetime) -> None:
        """The caller holds the person's row, so nothing new begins beside it."""
        await self._conn.execute(_END_RELATIONS, user_id, now)
        await self._conn.execute(_END_REQUESTS, user_id, now)

    async def set(
        self, kind: RelationKind, from_id: UUID, to_id: UUID, now: datetime, *, active: bool
    ) -> Relation | None:
        """The relation when it changed; None when it was so already."""
        if not active and not await self.has(kind, from_id, to_id):
            return None
        return _relation(await self._conn.fetchrow(_SET, kind.value, from_id, to_id, active, now))

    async def has(self, kind: RelationKind, from_id: UUID, to_id: UUID) -> bool:
        return bool(
            await self._conn.fetchval(
                "SELECT active FROM relation WHERE kind = $1 AND from_id = $2 AND to_id = $3",
                kind.value,
                from_id,
                to_id,
            )
        )

    async def count(self, kind: RelationKind, from_id: UUID) -> int:
        found: int = await self._conn.fetchval(
            "SELECT count(*) FROM relation WHERE kind = $1 AND from_id = $2 AND active", kind.value, from_id
        )
        return found

    async def add_request(self, request: FriendRequest) -> None:
        await self._conn.execute(
            f"INSERT INTO friend_request (pair_id, {_REQUEST}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            pair_id(request.from_id, request.to_id),
            *(request.request_id, request.from_id, request.to_id, request.message, request.status),
            *(request.created_at, request.decided_at),
        )

    async def waiting(self, one: UUID, other: UUID) -> FriendRequest | None:
        """The request that waits between two people."""
        return _request(
            await self._conn.fetchrow(
                f"SELECT {_REQUEST} FROM friend_request WHERE pair_id = $1 AND status = 'pending'", pair_id(one, other)
            )
        )

    async def request(self, request_id: UUID) -> FriendRequest | None:
        return _request(
            await self._conn.fetchrow(f"SELECT {_REQUEST} FROM friend_request WHERE request_id = $1", request_id)
        )

    async def close_request(self, request_id: UUID, status: str, now: datetime) -> None:
        await self._conn.execute(
            "UPDATE friend_request SET status = $2, decided_at = $3 WHERE request_id = $1", request_id, status, now
        )

    async def requests(
        self, user_id: UUID, *, incoming: bool, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[FriendRequest]:
        """Those that wait, the newest first."""
        mine = "to_id" if incoming else "from_id"
        at, request_id = before or (None, None)
        rows = await self._conn.fetch(
            f"SELECT {_REQUEST} FROM friend_request WHERE {mine} = $1 AND status = 'pending' "
            "AND ($2::timestamptz IS NULL OR (created_at, request_id) < ($2, $3::uuid)) "
            "ORDER BY created_at DESC, request_id DESC LIMIT $4",
            *(user_id, at, request_id, limit),
        )
        return [each for each in map(_request, rows) if each is not None]

    async def people(
        self,
        kind: RelationKind,
        user_id: UUID,
        *,
        incoming: bool = False,
        before: tuple[datetime, UUID] | None = None,
        limit: int,
    ) -> list[tuple[Card, datetime]]:
        """The others and since when, newest first. ``incoming``: who stands so to this person."""
        other, mine = ("r.from_id", "to_id") if incoming else ("r.to_id", "from_id")
        at, last = before or (None, None)
        rows = await self._conn.fetch(_LIST.format(other=other, mine=mine), kind.value, user_id, at, last, limit)
        return [(_card(row, user_id), row["since"]) for row in rows]

    async def suggestions(self, user_id: UUID, limit: int) -> list[tuple[Card, int]]:
        """Friends of friends with the number of friends in common, those with the most first."""
        rows = await self._conn.fetch(_SUGGESTED, user_id, limit)
        return [(_card(row, user_id), row["mutual_friends"]) for row in rows]

    async def card(self, viewer_id: UUID, user_id: UUID) -> Card | None:
        """None for nobody, and for somebody who blocks the viewer."""
        row = await self._conn.fetchrow(_CARD, viewer_id, user_id)
        return _card(row, viewer_id) if row else None


def _relation(row: asyncpg.Record | None) -> Relation | None:
    if row is None:
        return None
    return Relation(
        RelationKind(row["kind"]), row["from_id"], row["to_id"], row["version"], row["active"], row["since"]
    )


def _card(row: asyncpg.Record, viewer_id: UUID) -> Card:
    return card_for(
        user_id=row["user_id"],
        name=row["name"],
        username=row["username"],
        country=Country(row["country"]),
        show_profile_to=Audience(row["show_profile_to"]),
        viewer_id=viewer_id,
        friends=row["friends"],
    )


def _request(row: asyncpg.Record | None) -> FriendRequest | None:
    return None if row is None else FriendRequest(**dict(row))
