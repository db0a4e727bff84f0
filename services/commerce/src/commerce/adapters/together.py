"""Several writes in one round trip.

Invariant: they are one statement, and each sees the tables as they were before all of them. So no two of them may
write the same row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from chassis.postgres import Connection
from kernel.rows import rows_affected

Write = tuple[str, Sequence[Any]]  # SQL with $1, $2, …, and the values

_PLACE: Final = re.compile(r"\$(\d+)")


async def write_together(conn: Connection, writes: Sequence[Write]) -> int:
    """Returns how many rows the last one wrote."""
    values = [value for _, own in writes for value in own]
    status = await conn.execute(_joined(tuple((sql, len(own)) for sql, own in writes)), *values)
    return rows_affected(status)


@lru_cache(maxsize=64)
def _joined(parts: tuple[tuple[str, int], ...]) -> str:
    statements, first = [], 0
    for sql, count in parts:
        statements.append(_moved(sql, first))
        first += count
    *before, last = statements
    if not before:
        return last
    return f"WITH {', '.join(f'write_{n} AS ({sql})' for n, sql in enumerate(before))} {last}"


def _moved(sql: str, first: int) -> str:
    return _PLACE.sub(lambda place: f"${int(place[1]) + first}", sql)
