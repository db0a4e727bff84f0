"""Lists of friend requests."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from auth.adapters.friend_request_store import COLUMNS, request_of
from auth.domain.friend_request import FriendRequest
from auth.domain.ids import UserId
from chassis.postgres import Connection

_WAITING: Final = f"""
SELECT {COLUMNS} FROM friend_request
WHERE {{mine}} = $1 AND status = 'pending'
  AND ($2::timestamptz IS NULL OR (created_at, request_id) < ($2, $3::uuid))
ORDER BY created_at DESC, request_id DESC LIMIT $4
"""


async def waiting_requests(
    conn: Connection, user_id: UserId, *, incoming: bool, before: tuple[datetime, UUID] | None, limit: int
) -> list[FriendRequest]:
    """Those that wait for the person, or that wait for others, the newest first."""
    at, request_id = before or (None, None)
    query = _WAITING.format(mine="to_id" if incoming else "from_id")
    return [request_of(row) for row in await conn.fetch(query, user_id, at, request_id, limit)]
