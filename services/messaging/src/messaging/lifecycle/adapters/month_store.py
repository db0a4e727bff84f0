"""The months of the partitioned tables: made before they begin, dropped when all in them is past its time.

RET-2: a month that is dropped holds nothing that somebody may still read; rows of dialogs under legal hold are moved
to the default partition first, in the transaction that drops the month. The two functions that do it are in
``migrations/env.py``: they run with the owner's rights, and know these tables only.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg

from messaging.lifecycle.domain.month import Month, following

TABLES: Final = ("message", "change", "search_entry")
AHEAD: Final = 3
_MONTH: Final = re.compile(r"_(\d{4})(\d{2})$")
_PARTITIONS: Final = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass($1) ORDER BY c.relname
"""
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"


def wanted_months(now: datetime) -> list[Month]:
    """This month and the next ones, of every table."""
    this = now.astimezone(UTC).date().replace(day=1)
    return [Month(table, following(this, n)) for table in TABLES for n in range(AHEAD + 1)]


class MonthStore:
    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn

    async def months_of(self, table: str) -> list[Month]:
        """Those there are, oldest first."""
        names = [row["relname"] for row in await self._conn.fetch(_PARTITIONS, table)]
        found = [match for match in map(_MONTH.search, names) if match is not None]
        return [Month(table, date(int(each[1]), int(each[2]), 1)) for each in found]

    async def make_month(self, month: Month) -> None:
        """In a transaction. Raises ``LockNotAvailableError`` when writers are too busy for it now."""
        await self._conn.execute(_LOCK_TIMEOUT)
        await self._conn.execute("SELECT messaging.make_month($1, $2)", month.table, month.first)

    async def drop_month(self, month: Month) -> int:
        """In a transaction; returns how many rows a legal hold kept. Raises as ``make_month``."""
        await self._conn.execute(_LOCK_TIMEOUT)
        kept: int = await self._conn.fetchval("SELECT messaging.drop_month($1, $2)", month.table, month.first)
        return kept
