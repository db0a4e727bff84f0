"""Migrations over a real Postgres: up, down, three at once, and beside a transaction that will not let go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from chassis import migrations
from chassis.settings import ServiceSettings
from testkit.databases import Databases, ServiceDatabase
from testkit.wait import eventually

pytestmark = pytest.mark.component

FOLDER = Path(__file__).parent / "shop_migrations"


@pytest_asyncio.fixture
async def made(databases: Databases) -> ServiceDatabase:
    """An empty schema, with the role that owns it and the role that serves."""
    return await databases.create_unmigrated("shop")


@pytest.fixture
def settings(made: ServiceDatabase, shop_settings: Callable[..., ServiceSettings]) -> ServiceSettings:
    return shop_settings(made.dsn, database_owner_dsn=made.owner_dsn)


async def _connect(settings: ServiceSettings) -> asyncpg.Connection:
    """As the owner, who sees what the migration waits for."""
    return await asyncpg.connect(migrations.owner_dsn(settings))


async def test_up_and_down_and_up_again(settings: ServiceSettings) -> None:
    assert await migrations.pending(settings, FOLDER) == ["0001", "0002", "0003"]
    assert await migrations.upgrade(settings, FOLDER, to="0001") == "0001"
    assert await migrations.pending(settings, FOLDER) == ["0002", "0003"]
    assert await migrations.upgrade(settings, FOLDER) == "0003"
    assert await migrations.pending(settings, FOLDER) == []
    conn = await _connect(settings)
    assert await conn.fetchval("SELECT version_num FROM shop.alembic_version") == "0003"
    assert await conn.fetchval("SELECT count(*) FROM shop.counter") == 1000
    assert await conn.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'shop.counter_n'::regclass")
    await conn.close()
    assert await migrations.upgrade(settings, FOLDER, to="0001") == "0001"
    assert await migrations.upgrade(settings, FOLDER) == "0003"
    assert await migrations.upgrade(settings, FOLDER, to="-1") == "0002"
    assert await migrations.upgrade(settings, FOLDER, to="base") == "base"
    assert await migrations.upgrade(settings, FOLDER) == "0003"


async def test_three_at_once_migrate_once(settings: ServiceSettings) -> None:
    assert await asyncio.gather(*(migrations.upgrade(settings, FOLDER) for _ in range(3))) == ["0003"] * 3


async def test_it_gives_way_to_a_long_transaction_and_tries_again(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a migration waits for its lock, readers behind it wait too: but no longer than the lock timeout."""
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_S", 0.3)
    await migrations.upgrade(settings, FOLDER, to="0001")
    blocker, watcher = await _connect(settings), await _connect(settings)
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("SELECT n FROM shop.counter LIMIT 1")
    migrating = asyncio.create_task(migrations.upgrade(settings, FOLDER))

    async def waits() -> bool:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await watcher.fetchval(waiting))

    for _ in range(3):  # a busy machine may stall one look
        await eventually(waits)
        begun = time.monotonic()
        assert await watcher.fetchval("SELECT n FROM shop.counter WHERE id = 1") == 0
        if (waited_s := time.monotonic() - begun) < 2:
            break
    assert waited_s < 2
    assert not migrating.done()
    await transaction.rollback()
    assert await asyncio.wait_for(migrating, 30) == "0003"
    await blocker.close()
    await watcher.close()


async def test_it_gives_up_after_a_number_of_attempts(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(migrations, "ATTEMPTS_MAX", 2)
    await migrations.upgrade(settings, FOLDER, to="0001")
    blocker = await _connect(settings)
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("SELECT n FROM shop.counter LIMIT 1")
    with pytest.raises(Exception, match="lock timeout"):
        await migrations.upgrade(settings, FOLDER)
    await transaction.rollback()
    assert await migrations.pending(settings, FOLDER) == ["0002", "0003"]
    await blocker.close()
