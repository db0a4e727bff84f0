"""Lists of sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from auth.domain.ids import UserId
from auth.domain.session import Session, SignInMethod
from chassis.postgres import Connection
from kernel.rows import object_of

_LIVING: Final = """
SELECT id, user_id, method, device_name, started_at, rotated_at, expires_at FROM session
WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
  AND ($3::timestamptz IS NULL OR (started_at, id) < ($3, $4))
ORDER BY started_at DESC, id DESC LIMIT $5
"""


async def living_sessions(
    conn: Connection, user_id: UserId, now: datetime, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Session]:
    """The newest first."""
    started_at, session_id = before or (None, None)
    rows = await conn.fetch(_LIVING, user_id, now, started_at, session_id, limit)
    return [_session_of(row) for row in rows]


def _session_of(row: asyncpg.Record) -> Session:
    return object_of(Session, row, method=SignInMethod(row["method"]), last_used_at=row["rotated_at"])
