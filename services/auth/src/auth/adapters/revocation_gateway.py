"""Announce to every service, within two seconds, which sessions are over.

Their ids go into a Redis set that all services poll. Postgres stays the truth: what a crash or an outage kept
from Redis is found as ``revocation_announced_at IS NULL`` and announced again; when Redis itself was emptied (its
marker is gone), everything revoked within the life of an access token is announced again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from auth.domain.ids import SessionId
from auth.domain.session import REVOCATION_KEPT
from chassis.postgres import Database
from chassis.tokens import Revocations
from kernel.clock import Clock

log = structlog.get_logger(__name__)
_MARKER: Final = "auth:revocations_complete"
_BATCH: Final = 1000
_UNANNOUNCED: Final = """
SELECT id FROM session WHERE revoked_at IS NOT NULL AND revocation_announced_at IS NULL
ORDER BY revoked_at LIMIT $1
"""
_RECENT: Final = """
SELECT id FROM session WHERE revoked_at > $1
"""
_MARK: Final = """
UPDATE session SET revocation_announced_at = $2 WHERE id = ANY($1::uuid[])
"""


class RevocationAnnouncer:
    """Invariant: a session is marked as announced only after Redis has taken it."""

    def __init__(self, redis: Redis, database: Database, clock: Clock) -> None:
        self._redis = redis
        self._database = database
        self._clock = clock

    async def announce_soon(self, ended: Sequence[SessionId]) -> None:
        """Right after a commit; a failure is left to the job."""
        try:
            await self.announce(ended)
        except (RedisError, TimeoutError, OSError) as error:
            log.warning("revocations_left_to_job", sessions=len(ended), error=type(error).__name__)

    async def announce(self, ended: Iterable[SessionId]) -> None:
        """Raises what Redis raises."""
        ids = list(ended)
        if not ids:
            return
        now = self._clock.now()
        for session_id in ids:
            await Revocations.publish(self._redis, session_id, now)
        async with self._database.read() as conn:
            await conn.execute(_MARK, ids, now)

    async def announce_missing(self) -> int:
        """Job: what was not announced yet, or was lost with Redis's memory. Returns how many."""
        async with self._database.read() as conn:
            rows = await conn.fetch(_UNANNOUNCED, _BATCH)
        ids: list[UUID] = [row["id"] for row in rows]
        complete = await self._redis.exists(_MARKER)
        if not complete:
            async with self._database.read() as conn:
                recent = await conn.fetch(_RECENT, self._clock.now() - REVOCATION_KEPT)
            ids = list({*ids, *(row["id"] for row in recent)})
        await self.announce(SessionId(session_id) for session_id in ids)
        if not complete:
            await self._redis.set(_MARKER, "1")
        return len(ids)
