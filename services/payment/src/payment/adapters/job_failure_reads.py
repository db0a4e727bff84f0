"""Rows that jobs could not do, as operators and alerts see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chassis.postgres import Connection

_FAILURES: Final = """
    SELECT job, item_id, attempts, error, failed_first_at, failed_last_at, next_attempt_at FROM job_failure
    WHERE (job, item_id) > ($1, $2) ORDER BY job, item_id LIMIT $3
"""
_COUNT_BY_JOB: Final = "SELECT job, count(*) AS failures FROM job_failure GROUP BY job"
Row = Any


async def job_failures(conn: Connection, *, after: tuple[str, str] | None, limit: int) -> Sequence[Row]:
    """At most ``limit`` of them by job and item, from the one after ``after``."""
    job, item_id = after or ("", "")
    return await conn.fetch(_FAILURES, job, item_id, limit)


async def count_by_job(conn: Connection) -> Mapping[str, int]:
    """How many rows each job could not do; a job without any is left out."""
    return {row["job"]: row["failures"] for row in await conn.fetch(_COUNT_BY_JOB)}
