"""Sign-in attempts: counted in Redis before the password is looked at, recorded in ``login_attempt`` after.

Signing in fails open: with Redis away, Postgres counts instead (a row per attempt, under a lock per account), and
only the limits per address are gone. Every attempt counts as failed until it succeeds, so guesses made at the
same moment do not slip through together.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from auth.adapters.addresses import AddressLimits
from auth.adapters.keyring import Keyring
from auth.domain.delays import FORGOTTEN_AFTER, TooManyAttemptsError, delay_s
from auth.domain.ids import UserId
from auth.usecases.ports import Reservation
from chassis.postgres import Database
from kernel.clock import Clock
from kernel.ids import uuid7

_log = structlog.get_logger(__name__)

_DELAYS: Final = ",".join(str(delay_s(failures)) for failures in range(1, 16))
_RESERVE: Final = """
local now_ms, forgotten_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local next_ms = tonumber(redis.call('HGET', KEYS[1], 'next_ms') or '0')
if now_ms < next_ms then return next_ms - now_ms end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local delays = {}
for delay in string.gmatch(ARGV[3], '%d+') do delays[#delays + 1] = tonumber(delay) end
local delay_s = delays[math.min(failures, #delays)]
if delay_s > 0 then redis.call('HSET', KEYS[1], 'next_ms', now_ms + delay_s * 1000) end
redis.call('PEXPIRE', KEYS[1], forgotten_ms)
return 0
"""
_RECORD: Final = """
INSERT INTO login_attempt (at, id, account_hash, user_id, method, outcome, ip)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet)
"""
_SETTLE: Final = "UPDATE login_attempt SET outcome = $3, user_id = $4 WHERE id = $1 AND at = $2"
_RECENT: Final = """
SELECT count(*) AS failures, max(at) AS last_at FROM login_attempt
WHERE account_hash = $1 AND outcome IN ('failed', 'pending') AND at > greatest($2, coalesce(
    (SELECT max(at) FROM login_attempt WHERE account_hash = $1 AND at > $2 AND outcome = 'succeeded'), $2))
"""


class CountedAttempts:
    """Per account here; per address in ``AddressLimits``."""

    def __init__(
        self, redis: Redis, database: Database, keyring: Keyring, addresses: AddressLimits, clock: Clock
    ) -> None:
        self._redis = redis
        self._database = database
        self._keyring = keyring
        self._addresses = addresses
        self._clock = clock

    async def reserve(self, account: str, method: str, ip: str | None) -> Reservation:
        await self._addresses.check_sign_in(ip)
        account_hash = self._keyring.destination_hash(account)
        now = self._clock.now()
        row_id: tuple[datetime, UUID] | None = None
        try:
            wait_s = await self._reserve_in_redis(account_hash, now)
        except (RedisError, TimeoutError, OSError) as error:
            _log.warning("attempts_counted_in_postgres", error=type(error).__name__)
            wait_s, row_id = await self._reserve_in_postgres(account_hash, method, ip, now)
        if wait_s > 0:
            await self._record(account_hash, method, "delayed", ip, None)
            raise TooManyAttemptsError(retry_after_s=wait_s)
        return Reservation(account_hash=account_hash, method=method, ip=ip, row_id=row_id)

    async def succeeded(self, reservation: Reservation, user_id: UserId) -> None:
        await self._settle(reservation, "succeeded", user_id)
        try:
            await self._redis.delete(_key(reservation.account_hash))
        except (RedisError, TimeoutError, OSError) as error:
            _log.warning("attempts_not_cleared", error=type(error).__name__)

    async def failed(self, reservation: Reservation, user_id: UserId | None) -> None:
        await self._settle(reservation, "failed", user_id)

    async def _reserve_in_redis(self, account_hash: bytes, now: datetime) -> float:
        """Seconds to wait; 0 when let through (and counted)."""
        script = self._redis.eval(
            _RESERVE,
            1,
            _key(account_hash),
            str(int(now.timestamp() * 1000)),
            str(int(FORGOTTEN_AFTER.total_seconds() * 1000)),
            _DELAYS,
        )
        wait_ms = await cast("Awaitable[int]", script)
        return wait_ms / 1000

    async def _reserve_in_postgres(
        self, account_hash: bytes, method: str, ip: str | None, now: datetime
    ) -> tuple[float, tuple[datetime, UUID] | None]:
        lock = int.from_bytes(account_hash[:8], signed=True)
        async with self._database.begin() as conn:
            await conn.execute("SELECT pg_advisory_xact_lock($1)", lock)
            recent = await conn.fetchrow(_RECENT, account_hash, now - FORGOTTEN_AFTER)
            if recent is not None and (wait_s := delay_s(recent["failures"])):
                free_at = recent["last_at"] + timedelta(seconds=wait_s)
                if now < free_at:
                    return (free_at - now).total_seconds(), None
            row_id = (now, uuid7())
            await conn.execute(_RECORD, *row_id, account_hash, None, method, "pending", ip)
        return 0, row_id

    async def _settle(self, reservation: Reservation, outcome: str, user_id: UserId | None) -> None:
        if reservation.row_id is None:
            await self._record(reservation.account_hash, reservation.method, outcome, reservation.ip, user_id)
            return
        at, row_id = reservation.row_id
        async with self._database.read() as conn:
            await conn.execute(_SETTLE, row_id, at, outcome, user_id)

    async def _record(
        self, account_hash: bytes, method: str, outcome: str, ip: str | None, user_id: UserId | None
    ) -> None:
        async with self._database.read() as conn:
            await conn.execute(_RECORD, self._clock.now(), uuid7(), account_hash, user_id, method, outcome, ip)


def _key(account_hash: bytes) -> str:
    return f"auth:attempts:{account_hash.hex()}"
