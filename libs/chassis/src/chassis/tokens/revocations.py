"""Sessions that were signed out before their tokens expired, as every process knows them.

Invariant: a revocation published by auth is known here within a second while Redis answers. While it does not, what
is known stays known and ``problem`` says so: this fails open, bounded by the life of a token (ADR 0009).
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from prometheus_client import Gauge
from redis.asyncio import Redis

from chassis import pubsub
from kernel.backoff import BackoffPolicy
from kernel.loops import repeat
from kernel.steps import Steps
from kernel.tasks import beside, within

log = structlog.get_logger()

SET_KEY: Final = "auth:revoked_sessions"
CHANNEL: Final = "auth:revoked"
POLL_S: Final = 1.0
KEEP_S: Final = 20 * 60
_OVERLAP_MS: Final = 10_000
_PATIENCE_S: Final = 5.0
_ANSWER_S: Final = 2.0
_HEAR_S: Final = 5.0
_STEP_S: Final = 30.0

_blind_s = Gauge("auth_revocations_blind_seconds", "Seconds since the revoked sessions were last read from Redis")
_known = Gauge("auth_revocations_known", "Revoked sessions kept in memory")


class Revocations:
    """The revoked sessions of the last ``KEEP_S`` seconds, in memory."""

    name: Final = "revocations"
    critical: Final = False

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._revoked: dict[UUID, float] = {}
        self._read_at: float | None = None
        self._newest_ms = 0.0
        self.steps = Steps(_STEP_S)

    def is_revoked(self, session_id: UUID) -> bool:
        return session_id in self._revoked

    def problem(self) -> str | None:
        blind_s = self._blind_s()
        _blind_s.set(blind_s)
        return f"revoked sessions not read for {blind_s:.0f} s" if blind_s > _PATIENCE_S else None

    async def run(self, stop: asyncio.Event) -> None:
        """Poll the sorted set, and listen to the channel, until ``stop``."""
        self._started_at = time.monotonic()
        async with beside(self._listen(), name="revocations.listen"):
            await repeat(
                self._poll, stop, steps=self.steps, again=BackoffPolicy.constant(POLL_S), failed=self._note_failure
            )

    async def refresh(self) -> None:
        """Read the sorted set now. Raises ``RedisError``."""
        since = self._newest_ms - _OVERLAP_MS if self._newest_ms else (time.time() - KEEP_S) * 1000
        rows: Any = await self._redis.zrangebyscore(SET_KEY, since, "+inf", withscores=True)
        for member, score in rows:
            self._add(member, float(score))
        self._forget_old()
        self._read_at = time.monotonic()
        _known.set(len(self._revoked))

    @staticmethod
    async def publish(redis: Redis, session_id: UUID, now: datetime) -> None:
        """Tell every process that a session is revoked. Raises ``RedisError``; publishing again is harmless."""
        unix_ms = now.timestamp() * 1000
        async with redis.pipeline(transaction=False) as pipe:
            pipe.zadd(SET_KEY, {str(session_id): unix_ms})
            pipe.zremrangebyscore(SET_KEY, "-inf", unix_ms - KEEP_S * 1000)
            pipe.publish(CHANNEL, f"{session_id} {unix_ms:.0f}")
            await pipe.execute()

    async def _poll(self) -> float:
        await within(_ANSWER_S, self.refresh())
        return POLL_S

    def _note_failure(self, error: Exception) -> None:
        if self._blind_s() < _PATIENCE_S:
            log.warning("revocations.unread", error=type(error).__name__)

    async def _listen(self) -> None:
        while True:
            channel = self._redis.pubsub(ignore_subscribe_messages=True)
            try:
                await pubsub.subscribe(channel, CHANNEL)
                await self._hear(pubsub.Reader(channel))
            except Exception as error:  # noqa: BLE001 -- whatever it was, a new connection hears again
                log.debug("revocations.unheard", error=type(error).__name__)
            finally:
                await pubsub.close(channel)
            await asyncio.sleep(POLL_S)

    async def _hear(self, channel: pubsub.Reader) -> None:
        while True:
            message = await channel.read(_HEAR_S)
            if message is not None:
                member, _, score = _text(message["data"]).partition(" ")
                self._add(member, float(score or 0))

    def _add(self, member: Any, score: float) -> None:
        try:
            self._revoked[UUID(_text(member))] = score
        except ValueError:
            log.warning("revocations.unreadable_member")
        self._newest_ms = max(self._newest_ms, min(score, time.time() * 1000))

    def _forget_old(self) -> None:
        oldest_ms = (time.time() - KEEP_S) * 1000
        for session_id in [each for each, score in self._revoked.items() if score < oldest_ms]:
            del self._revoked[session_id]

    def _blind_s(self) -> float:
        since = self._read_at if self._read_at is not None else getattr(self, "_started_at", None)
        return 0.0 if since is None else time.monotonic() - since


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
