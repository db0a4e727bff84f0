"""Months: the partitions of the stream's tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

TABLES: Final = ("message", "change", "search_entry")
AHEAD: Final = 3


class MonthBusyError(Exception):
    """Writers keep the lock that the month needs: the next run has it."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one table."""

    table: str
    first: date

    @property
    def name(self) -> str:
        return f"{self.table}_{self.first:%Y%m}"

    @property
    def end(self) -> date:
        return following(self.first, 1)


def following(first: date, months: int) -> date:
    """The first day of the month so many months later."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def wanted_months(now: datetime) -> list[Month]:
    """This month and the next ones, of every table."""
    this = now.astimezone(UTC).date().replace(day=1)
    return [Month(table, following(this, n)) for table in TABLES for n in range(AHEAD + 1)]
