"""Several writes in one round trip.

Invariant: they are one statement, and each sees the tables as they were before all of them. So no two of them may
write the same row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from chassis.postgres import Connection
from kernel.rows import rows_affected

_PLACE: Final = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """SQL with $1, $2, …, and the values. Those after it may read what it returns by its ``name``, if it has one."""

    sql: str
    values: Sequence[Any]
    name: str = ""


async def write_together(conn: Connection, writes: Sequence[Write]) -> int:
    """Returns how many rows the last one wrote."""
    values = [value for write in writes for value in write.values]
    parts = tuple((write.sql, len(write.values), write.name) for write in writes)
    return rows_affected(await conn.execute(_joined(parts), *values))


@lru_cache(maxsize=64)
def _joined(parts: tuple[tuple[str, int, str], ...]) -> str:
    statements, first = [], 0
    for number, (sql, count, name) in enumerate(parts):
        statements.append((name or f"write_{number}", _moved(sql, first)))
        first += count
    *before, (_, last) = statements
    if not before:
        return last
    return f"WITH {', '.join(f'{name} AS ({sql})' for name, sql in before)} {last}"


def _moved(sql: str, first: int) -> str:
    return _PLACE.sub(lambda place: f"${int(place[1]) + first}", sql)
