"""The job that keeps eventing's tables small: partitions of the log ahead of time, old ones dropped, old rows deleted.

Claims are kept longer than any record can come again: ``inbox_days`` must exceed every topic's retention.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta

import asyncpg
import structlog

from eventing.lanes import lock_class
from eventing.tables import LOG_DAYS_AHEAD, RECORD_COLUMNS, attach_log_partition, log_partition

log = structlog.get_logger(__name__)

_JOB_LOCK = 0x7FFF_FFFE
_DELETE_ROWS = 5_000


class Housekeeping:
    """A runner of the role ``jobs``; several may run, one works."""

    def __init__(
        self,
        *,
        dsn: str,
        schema: str,
        log_days: int = 30,
        inbox_days: int = 21,
        dead_letter_days: int = 90,
        every_s: float = 3600.0,
    ) -> None:
        self.name = f"{schema}.housekeeping"
        self._dsn = dsn
        self._schema = schema
        self._log_days, self._inbox_days, self._dead_letter_days = log_days, inbox_days, dead_letter_days
        self._every_s = every_s
        self._error: str | None = None

    def problem(self) -> str | None:
        """Why the last run failed; None when it did not."""
        return self._error

    async def run(self, stop: asyncio.Event) -> None:
        """Work once an interval until ``stop`` is set."""
        while not stop.is_set():
            try:
                await self.work()
                self._error = None
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._error = f"{type(error).__name__}: {error}"
                log.warning("housekeeping_failed", schema=self._schema, error=self._error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s if self._error is None else min(60.0, self._every_s)):
                    await stop.wait()

    async def work(self, today: date | None = None) -> None:
        """One run. Does nothing while another process is at it."""
        day = today or datetime.now(UTC).date()
        conn = await asyncpg.connect(self._dsn, timeout=5, server_settings={"lock_timeout": "2000"})
        try:
            if await conn.fetchval("SELECT pg_try_advisory_lock($1, $2)", lock_class(self._schema), _JOB_LOCK):
                await self._make_partitions(conn, day)
                await self._drop_partitions(conn, day - timedelta(days=self._log_days))
                await self._delete_rows(conn)
        finally:
            await conn.close(timeout=2)

    async def _make_partitions(self, conn: asyncpg.Connection, day: date) -> None:
        existing = set(await self._partitions(conn))
        for ahead in range(LOG_DAYS_AHEAD + 1):
            wanted = day + timedelta(days=ahead)
            name, create = log_partition(self._schema, wanted)
            if name in existing:
                continue
            async with conn.transaction():
                await conn.execute(create)
                # Rows that came before their partition did (nobody kept house for a week) move into it.
                await conn.execute(
                    f"""WITH moved AS (DELETE FROM {self._schema}.event_log_default
                            WHERE published_at >= $1 AND published_at < $2 RETURNING *)
                        INSERT INTO {self._schema}.{name} (id, {RECORD_COLUMNS}, published_at)
                        SELECT id, {RECORD_COLUMNS}, published_at FROM moved""",
                    datetime(wanted.year, wanted.month, wanted.day, tzinfo=UTC),
                    datetime(wanted.year, wanted.month, wanted.day, tzinfo=UTC) + timedelta(days=1),
                )
                await conn.execute(attach_log_partition(self._schema, wanted))

    async def _drop_partitions(self, conn: asyncpg.Connection, oldest: date) -> None:
        first_kept, _ = log_partition(self._schema, oldest)
        for name in await self._partitions(conn):
            if name < first_kept:
                await conn.execute(f"DROP TABLE {self._schema}.{name}")
                log.info("log_partition_dropped", partition=name)

    async def _partitions(self, conn: asyncpg.Connection) -> list[str]:
        rows = await conn.fetch(
            """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = $1::regclass AND c.relname <> 'event_log_default' ORDER BY 1""",
            f"{self._schema}.event_log",
        )
        return [row["relname"] for row in rows]

    async def _delete_rows(self, conn: asyncpg.Connection) -> None:
        for table, column, days in (
            ("inbox", "received_at", self._inbox_days),
            ("dead_letter", "closed_at", self._dead_letter_days),
        ):
            deleted = _DELETE_ROWS
            while deleted == _DELETE_ROWS:
                status = await conn.execute(
                    f"""DELETE FROM {self._schema}.{table} WHERE ctid IN (
                            SELECT ctid FROM {self._schema}.{table} WHERE {column} < $1 LIMIT {_DELETE_ROWS})""",
                    datetime.now(UTC) - timedelta(days=days),
                )
                deleted = int(status.rsplit(" ", maxsplit=1)[1])
