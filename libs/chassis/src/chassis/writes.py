"""Several writes in one round trip, and writes that wait for the next statement of their transaction.

Invariant: they are one statement, and each sees the tables as they were before all of them; which is done first is not
said. So no two of them may write the same row, and none may need what another writes: whoever compares and sets a row
does not wait, and what only one may write is locked before. Of those that wait, no two write the same table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kernel.rows import rows_affected

if TYPE_CHECKING:
    from chassis.postgres import Connection

_PLACE: Final = re.compile(r"\$(\d+)")
_WRITES: Final = re.compile(r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE|MERGE|TRUNCATE)\s+(?!SET\b)(\S+)", re.IGNORECASE)
_NAME: Final = re.compile(r"[\w.]+")


class Write(NamedTuple):
    """SQL with $1, $2, …, and the values. Those after it may read what it returns by its ``name``, if it has one."""

    sql: str
    values: Sequence[Any]
    name: str = ""


async def write_together(conn: Connection, writes: Sequence[Write]) -> int:
    """Returns how many rows the last one wrote. What waits on the connection is written with them."""
    take = getattr(conn, "take_waiting", None)
    waiting: Sequence[Write] = () if take is None else await take(writes)
    sql, values = joined([*waiting, *writes])
    return rows_affected(await conn.execute(sql, *values))


async def write_later(conn: Connection, writes: Sequence[Write]) -> None:
    """Before anything else that this transaction asks for, so whoever asks finds them written; together with its last
    writes where nothing is asked. A connection outside the pool writes them at once.
    """
    later = getattr(conn, "later", None)
    if later is None:
        await write_together(conn, writes)
    else:
        await later(writes)


def joined(writes: Sequence[Write]) -> tuple[str, list[Any]]:
    """The one statement, and its values."""
    values = [value for write in writes for value in write.values]
    return _joined(tuple((write.sql, len(write.values), write.name) for write in writes)), values


def may_be_one_statement(some: Sequence[Write], others: Sequence[Write]) -> bool:
    """Whether they write other tables, under other names."""
    names = {write.name for write in some if write.name}
    return names.isdisjoint(write.name for write in others) and _tables(some).isdisjoint(_tables(others))


def _tables(writes: Sequence[Write]) -> set[str]:
    return {table for write in writes for table in _tables_of(write.sql)}


@lru_cache(maxsize=256)
def _tables_of(sql: str) -> frozenset[str]:
    """Raises ``ValueError`` for what is written in another way than the plain one."""
    tables = set()
    for verb, name in _WRITES.findall(sql):
        if not _NAME.fullmatch(name) or name.upper() == "ONLY" or verb.upper() in {"MERGE", "TRUNCATE"}:
            raise ValueError(f"which table this writes cannot be told: {verb} {name}")
        tables.add(name.rpartition(".")[2].lower())
    return frozenset(tables)


@lru_cache(maxsize=256)
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
