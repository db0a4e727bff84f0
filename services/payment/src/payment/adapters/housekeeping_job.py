"""What keeps payment's tables small, in pieces that end soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from chassis.postgres import Connection
from kernel.rows import rows_affected

FORGOTTEN: Final = {"refusal": "at", "provider_event": "received_at"}  # table: its time
_ROWS: Final = 5_000
_MAKE_MONTH: Final = "SELECT ensure_transaction_months($1, 1)"
_FORGET_SOME: Final = {
    table: f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {at} < $1 LIMIT $2))
    """
    for table, at in FORGOTTEN.items()
}


def months_from(day: date, count: int) -> Sequence[date]:
    """First days of the day's month and those after it."""
    months = [day.month - 1 + ahead for ahead in range(count)]
    return [date(day.year + month // 12, month % 12 + 1, 1) for month in months]


async def make_month(conn: Connection, month: date) -> None:
    """The partition of ``wallet_transaction`` for a month, when it is not there."""
    await conn.execute(_MAKE_MONTH, month)


async def forget_some(conn: Connection, table: str, before: datetime) -> bool:
    """Delete some thousand rows of a table of ``FORGOTTEN``; whether there may be more."""
    return rows_affected(await conn.execute(_FORGET_SOME[table], before, _ROWS)) == _ROWS
