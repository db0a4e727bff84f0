"""Friend requests in ``friend_request``."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import asyncpg

from auth.domain.friend_request import FriendRequest, FriendRequestStatus
from auth.domain.ids import FriendRequestId, UserId
from auth.domain.relation import pair_id
from chassis.postgres import OnConnection
from kernel.rows import object_of, values_of

COLUMNS: Final = "request_id, from_id, to_id, message, status, created_at, decided_at"
_INSERT: Final = f"""
INSERT INTO friend_request (pair_id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_SAVE: Final = """
UPDATE friend_request SET status = $2, decided_at = $3 WHERE request_id = $1
"""
_FIND: Final = f"""
SELECT {COLUMNS} FROM friend_request WHERE request_id = $1
"""
_FIND_WAITING: Final = f"""
SELECT {COLUMNS} FROM friend_request WHERE pair_id = $1 AND status = 'pending'
"""
_END_ALL: Final = """
WITH held AS (
    SELECT request_id FROM friend_request WHERE status = 'pending' AND (from_id = $1 OR to_id = $1)
    ORDER BY request_id FOR UPDATE
)
UPDATE friend_request q
SET decided_at = $2, status = CASE q.from_id WHEN $1 THEN 'cancelled' ELSE 'declined' END
FROM held h WHERE q.request_id = h.request_id
"""


class FriendRequestStore(OnConnection):
    async def add(self, request: FriendRequest) -> None:
        pair = pair_id(request.from_id, request.to_id)
        await self._conn.execute(_INSERT, pair, *values_of(request, COLUMNS))

    async def save(self, request: FriendRequest) -> None:
        await self._conn.execute(_SAVE, request.request_id, request.status, request.decided_at)

    async def find(self, request_id: FriendRequestId) -> FriendRequest | None:
        row = await self._conn.fetchrow(_FIND, request_id)
        return request_of(row) if row else None

    async def find_waiting(self, one: UserId, other: UserId) -> FriendRequest | None:
        row = await self._conn.fetchrow(_FIND_WAITING, pair_id(one, other))
        return request_of(row) if row else None

    async def end_all(self, user_id: UserId, now: datetime) -> None:
        await self._conn.execute(_END_ALL, user_id, now)


def request_of(row: asyncpg.Record) -> FriendRequest:
    """A row that has ``COLUMNS``."""
    return object_of(FriendRequest, row, status=FriendRequestStatus(row["status"]))
