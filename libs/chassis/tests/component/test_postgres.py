"""Transactions over a real Postgres: committed at the end of the block, undone otherwise, and for one user only."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast

import asyncpg
import pytest

from chassis.postgres import Database

if TYPE_CHECKING:
    from chassis.transactions import OpeningConnection

pytestmark = pytest.mark.component


async def _add(database: Database, name: str, user_id: uuid.UUID | None = None) -> uuid.UUID:
    thing_id = uuid.uuid4()
    async with database.begin() as conn:
        await conn.execute("INSERT INTO thing VALUES ($1, $2, $3)", thing_id, user_id or uuid.uuid4(), name)
    return thing_id


async def test_settings_of_a_connection(database_of_shop: Database) -> None:
    async with database_of_shop.read() as conn:
        shown = {
            name: await conn.fetchval(f"SHOW {name}")
            for name in ("search_path", "TimeZone", "statement_timeout", "lock_timeout", "application_name")
        }
    assert shown == {
        "search_path": "shop, public",
        "TimeZone": "UTC",
        "statement_timeout": "10s",
        "lock_timeout": "3s",
        "application_name": "sampan-shop",
    }


async def test_an_exception_undoes_everything(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex

    async def fail() -> None:
        async with database_of_shop.begin() as conn:
            await conn.execute("INSERT INTO thing VALUES ($1, $1, $2)", uuid.uuid4(), name)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database_of_shop.read() as conn:
        assert await conn.fetchval("SELECT count(*) FROM thing WHERE name = $1", name) == 0


async def test_nested_blocks_are_savepoints(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex
    async with database_of_shop.begin(user_id=None) as conn:
        await conn.execute("INSERT INTO thing VALUES ($1, $1, $2)", uuid.uuid4(), name)

        async def fail_inside() -> None:
            async with conn.transaction():
                await conn.execute("INSERT INTO thing VALUES ($1, $1, $2)", uuid.uuid4(), name)
                await conn.execute("SELECT 1/0")

        with pytest.raises(asyncpg.DivisionByZeroError):
            await fail_inside()
    async with database_of_shop.read() as conn:
        assert await conn.fetchval("SELECT count(*) FROM thing WHERE name = $1", name) == 1


async def test_a_users_transaction_sees_only_their_rows(database_of_shop: Database) -> None:
    me, you, name = uuid.uuid4(), uuid.uuid4(), uuid.uuid4().hex
    mine = await _add(database_of_shop, name, me)
    await _add(database_of_shop, name, you)
    select = "SELECT id FROM thing WHERE name = $1"
    async with database_of_shop.begin(user_id=me) as conn:
        assert [row["id"] for row in await conn.fetch(select, name)] == [mine]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with conn.transaction():
                await conn.execute("INSERT INTO thing VALUES ($1, $2, $3)", uuid.uuid4(), you, name)
    async with database_of_shop.read(user_id=me) as conn:
        assert [row["id"] for row in await conn.fetch(select, name)] == [mine]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute("DELETE FROM thing")
    async with database_of_shop.read() as conn:
        assert len(await conn.fetch(select, name)) == 2


async def test_the_user_does_not_stay_on_the_connection(database_of_shop: Database) -> None:
    async with database_of_shop.begin(user_id=uuid.uuid4()):
        pass
    for _ in range(20):
        async with database_of_shop.read() as conn:
            assert not await conn.fetchval("SELECT current_setting('sampan.user_id', true)")


async def test_json_columns_are_values(database_of_shop: Database) -> None:
    async with database_of_shop.read() as conn:
        assert await conn.fetchval("SELECT $1::jsonb", {"a": ["ข้าว", 1]}) == {"a": ["ข้าว", 1]}


async def test_the_pool_tells_its_usage_and_health(database_of_shop: Database) -> None:
    await database_of_shop.check()
    async with database_of_shop.read():
        used, size, most = database_of_shop.usage()
        assert 1 <= used <= size <= most


async def test_a_block_that_fails_or_cannot_begin_leaves_its_connection_usable(database_of_shop: Database) -> None:
    name = uuid.uuid4().hex

    async def broken(opening: str) -> None:
        async with database_of_shop.read() as conn, cast("OpeningConnection", conn).opening(opening):
            await conn.execute("INSERT INTO thing VALUES ($1, $1, $2)", uuid.uuid4(), name)
            await conn.execute("SELECT 1/0")

    for _ in range(10):
        with pytest.raises(asyncpg.UndefinedObjectError):
            await broken("SET LOCAL no_such_setting = 1")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await broken("SET LOCAL jit = off")
    async with database_of_shop.begin() as conn:
        assert await conn.fetchval("SELECT count(*) FROM thing WHERE name = $1", name) == 0


async def test_there_is_one_outermost_transaction(database_of_shop: Database) -> None:
    async with database_of_shop.begin() as conn:
        with pytest.raises(asyncpg.InterfaceError):
            await cast("OpeningConnection", conn).opening("SET LOCAL jit = off").start()


async def test_plans_are_kept_in_transactions_only(database_of_shop: Database) -> None:
    async with database_of_shop.begin(user_id=uuid.uuid4()) as conn:
        assert await conn.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
    for _ in range(20):
        async with database_of_shop.read(user_id=uuid.uuid4()) as conn:
            assert await conn.fetchval("SHOW plan_cache_mode") == "auto"
