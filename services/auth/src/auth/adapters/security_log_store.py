"""The security log in ``security_event``: only ever added to (a trigger refuses the rest)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from auth.domain.ids import SessionId, UserId
from auth.domain.security_log import SecurityEvent
from chassis.postgres import Connection
from kernel.clock import Clock
from kernel.ids import uuid7

_INSERT: Final = """
INSERT INTO security_event (at, id, act, user_id, actor_id, session_id, ip, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8)
"""


class SecurityLogStore:
    """Bound to one transaction: what happens and its entry commit together."""

    def __init__(self, conn: Connection, clock: Clock) -> None:
        self._conn = conn
        self._clock = clock

    async def write(
        self,
        event: SecurityEvent,
        *,
        user_id: UserId | None = None,
        session_id: SessionId | None = None,
        ip: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        values = (self._clock.now(), uuid7(), event, user_id, user_id, session_id, ip, dict(detail or {}))
        await self._conn.execute(_INSERT, *values)
