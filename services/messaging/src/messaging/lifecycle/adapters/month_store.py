"""The months of the partitioned tables: made before they begin, dropped when all in them is past its time.

RET-2: a month that is dropped holds nothing that somebody may still read; rows of dialogs under legal hold are moved
to the default partition first, in the transaction that drops the month. The two functions that do it are in
``migrations/env.py``: they run with the owner's rights, and know these tables only.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

import asyncpg

from chassis.postgres import OnConnection
from messaging.lifecycle.domain.month import Month, MonthBusyError

_MONTH: Final = re.compile(r"_(\d{4})(\d{2})$")
_PARTITIONS: Final = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass($1) ORDER BY c.relname
"""
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"


class MonthStore(OnConnection):
    async def months_of(self, table: str) -> list[Month]:
        """Those there are, oldest first."""
        names = [row["relname"] for row in await self._conn.fetch(_PARTITIONS, table)]
        found = [match for match in map(_MONTH.search, names) if match is not None]
        return [Month(table, date(int(each[1]), int(each[2]), 1)) for each in found]

    async def make_month(self, month: Month) -> None:
        """In a transaction, which ends when ``MonthBusyError`` is raised."""
        await self._call("SELECT messaging.make_month($1, $2)", month)

    async def drop_month(self, month: Month) -> int:
        """In a transaction; returns how many rows a legal hold kept. Raises as ``make_month``."""
        return int(await self._call("SELECT messaging.drop_month($1, $2)", month))

    async def _call(self, function: str, month: Month) -> Any:
        await self._conn.execute(_LOCK_TIMEOUT)
        try:
            return await self._conn.fetchval(function, month.table, month.first)
        except asyncpg.LockNotAvailableError as error:
            raise MonthBusyError(month.name) from error
