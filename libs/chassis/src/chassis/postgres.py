"""Postgres: a pool of connections that know their schema, and transactions that end where their block ends.

Invariant: a connection given by ``begin`` is in a READ COMMITTED transaction with the caller's ``sampan.user_id``
set for row-level policies; nothing of it outlives the block. Session state is never set by pool users, so a
connection goes back without a reset round trip.

A transaction's statements find rows by key, so one plan serves all their values: ``begin`` asks for it, because
Postgres would otherwise plan ``= ANY ($1)`` anew at every execution. Reads outside keep plans made for their values.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast
from uuid import UUID

import asyncpg
import orjson
import structlog

from chassis.fresh import FreshConnections
from chassis.outages import NotReadyError
from chassis.rights import MissingRightsError, missing_rights
from chassis.settings import ServiceSettings
from chassis.transactions import OpeningConnection
from kernel.tasks import within

__all__ = ["Connection", "Database", "OnConnection"]

Connection = asyncpg.Connection
log = structlog.get_logger()

_ACQUIRE_TIMEOUT_S = 5.0
_IDLE_IN_TRANSACTION_S = 15.0
_RETRY_S = 0.5
_CHECK_S = 1.0
_COMMIT_S = 3.0
_CLOSE_S = 5.0
# Statements are short and rows are found by indexes, on disks without a head to move: with the server's defaults a plan
# that is made once reads tables of a few thousand rows whole.
PLANNING = {"random_page_cost": "1.1", "jit": "off"}
_ONE_PLAN = "SET LOCAL plan_cache_mode = force_generic_plan"


class OnConnection:
    """Base of stores and reads: what they do is done on one connection, in its transaction."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn


class Database:
    """The service's own database, as its own role."""

    def __init__(self, pool: asyncpg.Pool, fresh: FreshConnections, schema: str) -> None:
        self._pool = pool
        self._fresh = fresh
        self._schema = schema

    @classmethod
    async def connect(cls, settings: ServiceSettings, *, session: Mapping[str, str] | None = None) -> Database:
        """Open the pool. Waits up to ``startup_timeout_s`` for a server that is still starting.

        ``session``: settings that every connection starts with, such as those that row-level policies read.
        """
        deadline = asyncio.get_running_loop().time() + settings.startup_timeout_s
        while True:
            try:
                pool = await _open_pool(settings, session or {})
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                log.warning("database.waiting", error=type(error).__name__)
                await asyncio.sleep(_RETRY_S)
            else:
                fresh = FreshConnections(partial(_connect_and_commit, settings.database_dsn.get_secret_value()))
                return cls(pool, fresh, settings.database_schema)

    @asynccontextmanager
    async def begin(self, *, user_id: UUID | None = None) -> AsyncIterator[Connection]:
        """A transaction: commits at the end of the block, rolls back on any exception.

        With ``user_id``, row-level policies show only that user's rows.
        """
        async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as proxy:
            conn = cast("OpeningConnection", proxy)
            async with conn.opening(_ONE_PLAN if user_id is None else f"{_ONE_PLAN}; {_rows_of(user_id)}"):
                yield conn

    @asynccontextmanager
    async def read(self, *, user_id: UUID | None = None) -> AsyncIterator[Connection]:
        """A connection for reading: each statement sees what is committed. A transaction only with ``user_id``."""
        if user_id is None:
            async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as proxy:
                yield cast("Connection", proxy)
            return
        async with self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as proxy:
            conn = cast("OpeningConnection", proxy)
            async with conn.opening(_rows_of(user_id), readonly=True):
                yield conn

    async def check(self) -> None:
        """Raises when Postgres does not answer within a second or takes no writes, no connection is free for so long, a
        right that the last migration gave was taken, or no new connection can be had, or none on which a commit ends:
        those of the pool outlive a changed password, and each is replaced some day.
        """
        async with asyncio.timeout(_CHECK_S), self._pool.acquire(timeout=_CHECK_S) as conn:
            if missing := await missing_rights(conn, self._schema):
                raise MissingRightsError(missing)
            if await conn.fetchval("SELECT current_setting('transaction_read_only')::boolean"):
                raise NotReadyError("the database is read-only")
        try:
            await self._fresh.check()
        except asyncpg.TooManyConnectionsError:
            if self._pool.get_size() < self._pool.get_max_size():
                raise  # a pool that is full needs no more
        except asyncpg.InsufficientPrivilegeError as error:
            raise NotReadyError(str(error)) from None

    def usage(self) -> tuple[int, int, int]:
        """Connections in use, open, and at most."""
        size = self._pool.get_size()
        return size - self._pool.get_idle_size(), size, self._pool.get_max_size()

    async def close(self) -> None:
        """Wait for connections in use, then close; cut them after five seconds."""
        try:
            await within(_CLOSE_S, self._pool.close())
        except TimeoutError:
            self._pool.terminate()
        await self._fresh.close()


async def _connect_and_commit(dsn: str) -> None:
    """A record of a few bytes, which changes nothing: commits may wait for a standby that is gone."""
    conn = await asyncpg.connect(dsn, timeout=_ACQUIRE_TIMEOUT_S)
    try:
        await conn.execute("SELECT pg_logical_emit_message(true, 'sampan.ready', '')", timeout=_COMMIT_S)
    except TimeoutError:
        raise NotReadyError(f"a commit did not end in {_COMMIT_S:.0f} s") from None
    finally:
        await conn.close(timeout=_CHECK_S)


async def _open_pool(settings: ServiceSettings, session: Mapping[str, str]) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        settings.database_dsn.get_secret_value(),
        connection_class=OpeningConnection,
        min_size=settings.database_pool_min,
        max_size=settings.database_pool_max,
        init=_set_codecs,
        reset=_keep_session,
        timeout=_ACQUIRE_TIMEOUT_S,
        command_timeout=settings.database_statement_timeout_s + 5.0,
        server_settings={
            "application_name": f"sampan-{settings.database_schema}",
            "search_path": f"{settings.database_schema}, public",
            "timezone": "UTC",
            "statement_timeout": _milliseconds(settings.database_statement_timeout_s),
            "lock_timeout": _milliseconds(settings.database_lock_timeout_s),
            "idle_in_transaction_session_timeout": _milliseconds(_IDLE_IN_TRANSACTION_S),
            **PLANNING,
            **session,
        },
    )


async def _set_codecs(conn: Any) -> None:
    for name in ("json", "jsonb"):
        await conn.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: orjson.dumps(value, default=str).decode(),
            decoder=orjson.loads,
        )


async def _keep_session(conn: Any) -> None:
    """asyncpg has already rolled back what was open; there is no session state to clear."""
    conn.forget_waiting()


def _rows_of(user_id: UUID) -> str:
    return f"SET LOCAL sampan.user_id = '{user_id}'"


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
