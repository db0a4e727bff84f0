"""The job that keeps eventing's tables small: partitions of the log ahead of time, old ones dropped, old rows deleted.

Claims are kept longer than any record can come again: ``inbox_days`` must exceed every topic's retention.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import asyncpg
import structlog

from eventing.lanes import lock_class
from eventing.tables import LOG_DAYS_AHEAD
from kernel.backoff import BackoffPolicy
from kernel.loops import repeat
from kernel.rows import rows_affected
from kernel.steps import Steps

log = structlog.get_logger(__name__)

_JOB_LOCK = 0x7FFF_FFFE
_DELETE_ROWS = 5_000
_STATEMENT_S = 120.0
_RUN_S = 1800.0
_AGAIN_S = 60.0


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
        self.steps = Steps(_RUN_S, told_s=_RUN_S)

    def problem(self) -> str | None:
        """Why the last run failed; None when it did not."""
        return self._error

    async def run(self, stop: asyncio.Event) -> None:
        """Work once an interval until ``stop`` is set."""
        again = BackoffPolicy.constant(min(_AGAIN_S, self._every_s))
        await repeat(self._work_and_rest, stop, steps=self.steps, again=again, failed=self._failed)

    async def _work_and_rest(self) -> float:
        await self.work()
        self._error = None
        return self._every_s

    def _failed(self, error: Exception) -> None:
        self._error = f"{type(error).__name__}: {error}"
        log.warning("housekeeping_failed", schema=self._schema, error=self._error)

    async def work(self, today: date | None = None) -> None:
        """One run. Does nothing while another process is at it.

        What cannot be done, such as dropping a partition that somebody reads, is raised once all else is.
        """
        day = today or datetime.now(UTC).date()
        conn = await asyncpg.connect(
            self._dsn, timeout=5, command_timeout=_STATEMENT_S, server_settings={"lock_timeout": "2000"}
        )
        try:
            if await conn.fetchval("SELECT pg_try_advisory_lock($1, $2)", lock_class(self._schema), _JOB_LOCK):
                await self._do_all(conn, day)
        finally:
            await conn.close(timeout=2)

    async def _do_all(self, conn: asyncpg.Connection, day: date) -> None:
        first_kept = day - timedelta(days=self._log_days)
        tasks = [
            *(partial(self._make_day, conn, each) for each in _days_ahead(day)),
            *(partial(self._drop_day, conn, each) for each in await self._days(conn) if each < first_kept),
            *(partial(self._delete_rows, conn, *rows) for rows in self._old_rows()),
        ]
        failures = []
        for task in tasks:
            try:
                await task()
            except asyncpg.PostgresError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    async def _make_day(self, conn: asyncpg.Connection, day: date) -> None:
        await conn.execute(f"SELECT {self._schema}.make_log_day($1)", day)

    async def _drop_day(self, conn: asyncpg.Connection, day: date) -> None:
        await conn.execute(f"SELECT {self._schema}.drop_log_day($1)", day)
        log.info("log_day_dropped", day=day.isoformat())

    async def _days(self, conn: asyncpg.Connection) -> list[date]:
        """Those that event_log has a partition for."""
        rows = await conn.fetch(
            """SELECT right(c.relname, 8)::date AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = $1::text::regclass AND c.relname ~ '^event_log_[0-9]{8}$' ORDER BY 1""",
            f"{self._schema}.event_log",
        )
        return [row["day"] for row in rows]

    def _old_rows(self) -> Iterable[tuple[str, str, int]]:
        yield "inbox", "received_at", self._inbox_days
        yield "dead_letter", "closed_at", self._dead_letter_days

    async def _delete_rows(self, conn: asyncpg.Connection, table: str, column: str, days: int) -> None:
        deleted = _DELETE_ROWS
        while deleted == _DELETE_ROWS:
            status = await conn.execute(
                f"""DELETE FROM {self._schema}.{table} WHERE ctid IN (
                        SELECT ctid FROM {self._schema}.{table} WHERE {column} < $1 LIMIT {_DELETE_ROWS})""",
                datetime.now(UTC) - timedelta(days=days),
            )
            deleted = rows_affected(status)


def _days_ahead(day: date) -> Iterable[date]:
    return (day + timedelta(days=ahead) for ahead in range(LOG_DAYS_AHEAD + 1))
