"""Sign-in attempts: counted in Redis before the password is looked at, recorded in ``login_attempt`` after.

Signing in fails open: with Redis away, Postgres counts instead (a row per attempt, under a lock per account), and
only the limits per address are gone. Which counters an attempt counts in is the domain's (``domain/delays.py``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from auth.adapters.address_limit_store import AddressLimitStore
from auth.adapters.attempt_counter_store import AttemptCounterStore
from auth.adapters.keyring_gateway import Keyring
from auth.adapters.known_network_reads import KnownNetworkReads
from auth.domain.delays import CUT_OFF_AFTER, FORGOTTEN_AFTER, Counter, TooManyAttemptsError, counters, delay_s
from auth.domain.ids import UserId
from auth.domain.place import place_of
from auth.usecases.ports import Reservation
from chassis.postgres import Connection, Database
from kernel.clock import Clock
from kernel.ids import uuid7

log = structlog.get_logger(__name__)

_LOCK: Final = """
SELECT pg_advisory_xact_lock($1)
"""
_RECORD: Final = """
INSERT INTO login_attempt (at, id, account_hash, user_id, method, outcome, ip, counters)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8)
"""
_SETTLE: Final = """
UPDATE login_attempt SET outcome = $3, user_id = $4 WHERE id = $1 AND at = $2
"""
# A success ends the row of failures of its place, which is the first of its counters.
_RECENT: Final = """
SELECT count(*) AS failures, max(at) AS last_at FROM login_attempt
WHERE account_hash = $1 AND $2 = ANY(counters) AND (outcome = 'failed' OR (outcome = 'pending' AND at > $4))
  AND at > greatest($3, coalesce((
      SELECT max(at) FROM login_attempt
      WHERE account_hash = $1 AND at > $3 AND outcome = 'succeeded' AND counters[1] = $2), $3))
"""


class AttemptStore:
    """Per account and place here; per address in ``AddressLimitStore``."""

    def __init__(
        self,
        redis: Redis,
        database: Database,
        keyring: Keyring,
        addresses: AddressLimitStore,
        known_networks: KnownNetworkReads,
        *,
        clock: Clock,
    ) -> None:
        self._in_redis = AttemptCounterStore(redis)
        self._database = database
        self._keyring = keyring
        self._addresses = addresses
        self._known_networks = known_networks
        self._clock = clock

    async def reserve(self, account: str, method: str, ip: str | None, user_id: UserId | None = None) -> Reservation:
        place = place_of(ip)
        familiarity = await self._known_networks.familiarity(user_id, place)
        await self._addresses.check_sign_in(ip, familiarity)
        counted = counters(familiarity, place)
        attempt = Reservation(
            attempt_id=uuid7(),
            account_hash=self._keyring.destination_hash(account),
            method=method,
            ip=ip,
            counters=counted,
            at=self._clock.now(),
        )
        try:
            wait_s = await self._in_redis.reserve(self._keys(attempt), counted, attempt.attempt_id, attempt.at)
        except (RedisError, TimeoutError, OSError) as error:
            log.warning("attempts.counted_in_postgres", error=type(error).__name__)
            attempt = replace(attempt, in_postgres=True)
            wait_s = await self._reserve_in_postgres(attempt)
        if wait_s > 0:
            await self._record(attempt, "delayed", None)
            raise TooManyAttemptsError(retry_after_s=wait_s)
        return attempt

    async def succeeded(self, attempt: Reservation, user_id: UserId) -> None:
        await self._settle(attempt, "succeeded", user_id)
        try:
            await self._in_redis.succeeded(self._keys(attempt), attempt.counters, attempt.attempt_id)
        except (RedisError, TimeoutError, OSError) as error:
            log.warning("attempts.not_cleared", error=type(error).__name__)

    async def failed(self, attempt: Reservation, user_id: UserId | None) -> None:
        try:
            await self._in_redis.failed(self._keys(attempt), attempt.attempt_id, attempt.at)
        except (RedisError, TimeoutError, OSError) as error:
            log.warning("attempt.left_to_postgres", error=type(error).__name__)
        await self._settle(attempt, "failed", user_id)

    def _keys(self, attempt: Reservation) -> list[str]:
        account = attempt.account_hash.hex()
        names = (self._keyring.destination_hash(f"{account} {each.name}").hex() for each in attempt.counters)
        return [f"auth:attempts:{name}" for name in names]

    async def _reserve_in_postgres(self, attempt: Reservation) -> float:
        lock = int.from_bytes(attempt.account_hash[:8], signed=True)
        async with self._database.begin() as conn:
            await conn.execute(_LOCK, lock)
            waits = [await _wait_s(conn, attempt, counter) for counter in attempt.counters]
            if max(waits) <= 0:
                await conn.execute(_RECORD, *_row(attempt, attempt.at, "pending", None))
        return max(waits)

    async def _settle(self, attempt: Reservation, outcome: str, user_id: UserId | None) -> None:
        if not attempt.in_postgres:
            await self._record(attempt, outcome, user_id)
            return
        async with self._database.read() as conn:
            await conn.execute(_SETTLE, attempt.attempt_id, attempt.at, outcome, user_id)

    async def _record(self, attempt: Reservation, outcome: str, user_id: UserId | None) -> None:
        async with self._database.read() as conn:
            await conn.execute(_RECORD, *_row(attempt, self._clock.now(), outcome, user_id))


async def _wait_s(conn: Connection, attempt: Reservation, counter: Counter) -> float:
    since, cut_off = attempt.at - FORGOTTEN_AFTER, attempt.at - CUT_OFF_AFTER
    recent = await conn.fetchrow(_RECENT, attempt.account_hash, counter.name, since, cut_off)
    wait_s = delay_s(recent["failures"], counter.free_failures) if recent else 0
    return (recent["last_at"] + timedelta(seconds=wait_s) - attempt.at).total_seconds() if recent and wait_s else 0.0


def _row(attempt: Reservation, at: datetime, outcome: str, user_id: UserId | None) -> tuple[object, ...]:
    names = [each.name for each in attempt.counters]
    return at, attempt.attempt_id, attempt.account_hash, user_id, attempt.method, outcome, attempt.ip, names
