"""The audit log in ``security_event``: only ever added to (a trigger refuses the rest)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg

from auth.domain.ids import SessionId, UserId
from auth.domain.security_log import Act
from kernel.ids import uuid7

_INSERT: Final = """
INSERT INTO security_event (at, id, act, user_id, actor_id, session_id, ip, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8)
"""


class AuditLog:
    """Bound to one transaction: an act and its entry commit together."""

    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn

    async def write(
        self,
        act: Act,
        *,
        now: datetime,
        user_id: UserId | None = None,
        actor_id: UserId | None = None,
        session_id: SessionId | None = None,
        ip: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        actor = actor_id or user_id
        await self._conn.execute(_INSERT, now, uuid7(), act, user_id, actor, session_id, ip, dict(detail or {}))
