"""Writes that wait are written before whatever follows, with the last ones in one statement, or not at all."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

import asyncpg
import pytest

from chassis.postgres import Connection, Database
from chassis.writes import Write, write_later, write_together

ADD = "INSERT INTO thing VALUES ($1, $1, $2)"
RENAME = "UPDATE thing SET name = $2 WHERE name = $1"
KEEP = "INSERT INTO idempotency_key VALUES ('s', 'r', $1, '', 200, 'text/plain', '{}', '')"
COUNT = "SELECT count(*) FROM thing WHERE name = $1"


def statements(conn: Connection) -> list[str]:
    """What is asked from now on."""
    asked: list[str] = []
    cast("Any", conn).add_query_logger(lambda record: asked.append(record.query))
    return asked


def added(name: str) -> Write:
    return Write(ADD, [uuid.uuid4(), name])


async def broken(block: AbstractAsyncContextManager[Any], conn: Connection, writes: Sequence[Write]) -> None:
    async with block:
        await write_later(conn, writes)
        raise RuntimeError


async def count(database: Database, name: str) -> int:
    async with database.read() as conn:
        return int(await conn.fetchval(COUNT, name))


async def test_they_are_one_statement_with_the_last_writes(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.begin() as conn:
        asked = statements(conn)
        await write_later(conn, [added(name), added(name)])
        assert asked == []
        assert await write_together(conn, [Write(KEEP, [name])]) == 1
        await asyncio.sleep(0)  # loggers are called soon
        assert len(asked) == 1
    assert await count(database_of_shop, name) == 2


async def test_a_transaction_writes_them_before_it_commits(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.begin() as conn:
        await write_later(conn, [added(name)])
    async with database_of_shop.read() as conn, conn.transaction():
        await write_later(conn, [added(name)])
    assert await count(database_of_shop, name) == 2


async def test_whoever_asks_finds_them_written(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.begin() as conn:
        for expected, ask in enumerate((conn.fetchval, conn.fetchrow, conn.fetch), 1):
            await write_later(conn, [added(name)])
            found: Any = await ask(COUNT, name)  # type: ignore[operator]
            while not isinstance(found, int):
                found = found[0]
            assert found == expected
        await write_later(conn, [added(name)])
        assert await conn.execute(RENAME, name, f"{name}!") == "UPDATE 4"
        await write_later(conn, [added(name)])
        await conn.executemany(RENAME, [(name, f"{name}!")])
        assert await conn.fetchval(COUNT, f"{name}!") == 5
        await write_later(conn, [added(name)])
        with pytest.raises(asyncpg.InterfaceError):
            conn.cursor(COUNT, name)


async def test_those_of_one_table_are_written_one_after_the_other(database_of_shop: Database) -> None:
    """In one statement the second would not see the first."""
    name = uuid.uuid4().hex
    async with database_of_shop.begin() as conn:
        await write_later(conn, [added(name)])
        await write_later(conn, [Write(RENAME, [name, f"{name}!"])])
        assert await write_together(conn, [Write(RENAME, [f"{name}!", f"{name}!!"])]) == 1
    assert await count(database_of_shop, f"{name}!!") == 1


async def test_a_block_inside_that_fails_takes_its_own_with_it(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.begin() as conn:
        await write_later(conn, [added(name)])
        with pytest.raises(RuntimeError):
            await broken(conn.transaction(), conn, [added(name)])
        async with conn.transaction():
            await write_later(conn, [added(name)])
    assert await count(database_of_shop, name) == 2


async def test_a_block_inside_whose_last_write_is_refused_takes_only_its_own_with_it(
    database_of_shop: Database,
) -> None:
    name = uuid.uuid4().hex

    async def refused_at_its_end(conn: Connection) -> None:
        async with conn.transaction():
            await write_later(conn, [Write(KEEP, [None])])

    async with database_of_shop.begin() as conn:
        await write_later(conn, [added(name)])
        with pytest.raises(asyncpg.NotNullViolationError):
            await refused_at_its_end(conn)
        await write_later(conn, [added(name)])
    assert await count(database_of_shop, name) == 2


async def test_outside_a_transaction_nothing_waits(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.read() as conn:
        await write_later(conn, [added(name)])
    assert await count(database_of_shop, name) == 1


async def test_names_that_are_the_same_are_not_of_one_statement(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.begin() as conn:
        for write in (added(name), Write(KEEP, [name])):
            await write_later(conn, [Write("SELECT 1", (), "one"), write])
    assert await count(database_of_shop, name) == 1


async def test_what_is_written_must_be_told_by_the_sql(database_of_shop: Database) -> None:
    async with database_of_shop.begin() as conn:
        await write_later(conn, [added(uuid.uuid4().hex)])
        for sql in ('UPDATE "thing" SET name = $1', "UPDATE ONLY thing SET name = $1", "TRUNCATE thing"):
            with pytest.raises(ValueError, match="cannot be told"):
                await write_later(conn, [Write(sql, ["x"])])


Opens = Callable[[Any], AbstractAsyncContextManager[Any]]


@pytest.mark.parametrize(
    "opens", [lambda conn: conn.opening("SET LOCAL jit = off"), lambda conn: conn.transaction()], ids=["ours", "plain"]
)
async def test_what_cannot_be_written_leaves_nothing_and_a_connection_that_works(
    database_of_shop: Database, opens: Opens
) -> None:
    name = uuid.uuid4().hex

    async def cannot_be_written() -> None:
        async with database_of_shop.read() as conn, opens(conn):
            await write_later(conn, [added(name)])
            await write_later(conn, [Write(KEEP, [None])])

    async def fails() -> None:
        async with database_of_shop.read() as conn:
            await broken(opens(conn), conn, [added(name)])

    for _ in range(10):  # more than the pool has
        with pytest.raises(asyncpg.NotNullViolationError):
            await cannot_be_written()
        with pytest.raises(RuntimeError):
            await fails()
    assert await count(database_of_shop, name) == 0


async def test_a_connection_outside_the_pool_writes_at_once(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex

    class Plain:
        def __init__(self, conn: Connection) -> None:
            self.execute = conn.execute

    async with database_of_shop.begin() as conn:
        await write_later(cast("Any", Plain(conn)), [added(name)])
        assert await conn.fetchval(COUNT, name) == 1
