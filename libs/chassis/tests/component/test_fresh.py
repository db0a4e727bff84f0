"""Readiness asks for a new connection to Postgres: those of the pool live on when no other can be had."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from chassis import postgres
from chassis.fresh import FreshConnections
from chassis.http import Routes, View, make_app
from chassis.outages import NotReadyError
from chassis.postgres import Database
from chassis.run.health import Health
from chassis.run.ops import ops_app
from chassis.settings import ServiceSettings
from kernel.tasks import beside
from testkit.databases import with_database
from testkit.serving import serving
from testkit.wait import eventually

pytestmark = pytest.mark.component


@dataclass
class Role:
    """A role of its own, so that a test may take its rights away."""

    name: str
    dsn: str
    admin: asyncpg.Connection


@pytest_asyncio.fixture
async def role(postgres_admin_dsn: str) -> AsyncIterator[Role]:
    name = f"t_fresh_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(postgres_admin_dsn)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'first'")
    try:
        yield Role(name, with_database(postgres_admin_dsn, "postgres", user=name, password="first"), admin)
    finally:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", name)
        await admin.execute(f"DROP ROLE {name}")
        await admin.close()


@pytest_asyncio.fixture
async def database(role: Role, shop_settings: Callable[..., ServiceSettings]) -> AsyncIterator[Database]:
    database = await Database.connect(shop_settings(role.dsn, database_pool_min=2, database_pool_max=2))
    database._fresh._every_s = 0.0  # at every look
    yield database
    await database.close()


async def _query_works(database: Database) -> bool:
    async with database.read() as conn:
        return bool(await conn.fetchval("SELECT true"))


async def test_a_changed_password_makes_it_unready_while_its_connections_live(role: Role, database: Database) -> None:
    await database.check()
    await role.admin.execute(f"ALTER ROLE {role.name} PASSWORD 'second'")
    assert await _query_works(database), "negative control: what readiness looked at before is content"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await database.check()
    await role.admin.execute(f"ALTER ROLE {role.name} PASSWORD 'first'")
    await database.check()


async def test_a_role_that_may_log_in_no_more(role: Role, database: Database) -> None:
    await role.admin.execute(f"ALTER ROLE {role.name} NOLOGIN")
    assert await _query_works(database)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await database.check()


async def test_a_database_that_takes_no_writes_is_not_ready(role: Role, database: Database) -> None:
    async with database.read() as one, database.read() as other:  # all there are, as of a server that is read-only
        for conn in (one, other):
            await conn.execute("SELECT set_config('default_transaction_read_only', 'on', false)")
    assert await _query_works(database)
    with pytest.raises(NotReadyError, match="read-only"):
        await database.check()


async def test_a_server_whose_commits_do_not_end_is_not_ready(
    role: Role, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for a standby that is gone; what only reads goes on."""
    monkeypatch.setattr(postgres, "_COMMIT_S", 0.3)
    await database.check()
    await role.admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    try:
        await role.admin.execute("SELECT pg_reload_conf()")
        await eventually(lambda: _says_it_is_not_ready(database), timeout_s=10)
        assert await _query_works(database)
    finally:
        await role.admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await role.admin.execute("SELECT pg_reload_conf()")
    await eventually(lambda: _is_ready(database), timeout_s=10)


async def _says_it_is_not_ready(database: Database) -> bool:
    try:
        await database.check()
    except NotReadyError as error:
        return "a commit did not end" in str(error)
    return False


async def _is_ready(database: Database) -> bool:
    try:
        await database.check()
    except NotReadyError:
        return False
    return True


async def test_a_full_pool_needs_no_more_connections_and_one_that_is_not_does(
    role: Role, database: Database, shop_settings: Callable[..., ServiceSettings]
) -> None:
    await role.admin.execute(f"ALTER ROLE {role.name} CONNECTION LIMIT 2")
    await database.check()
    await role.admin.execute(f"ALTER ROLE {role.name} CONNECTION LIMIT 3")
    growing = await Database.connect(shop_settings(role.dsn, database_pool_min=1, database_pool_max=4))
    try:
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await growing.check()
    finally:
        await growing.close()


async def test_a_pool_that_is_used_up_is_not_ready(database: Database) -> None:
    async def hold() -> None:
        async with database.read() as conn:
            await conn.fetchval("SELECT pg_sleep(4)")

    async with beside(hold()), beside(hold()):
        await eventually(lambda: database.usage()[0] == 2)
        with pytest.raises(TimeoutError):
            await database.check()


async def test_it_connects_once_in_a_while_however_often_it_is_asked() -> None:
    connected = 0

    async def connect() -> None:
        nonlocal connected
        connected += 1
        await asyncio.sleep(0.05)

    fresh = FreshConnections(connect, every_s=60)
    await asyncio.gather(*(fresh.check() for _ in range(100)))
    for _ in range(100):
        await fresh.check()
    assert connected == 1


async def test_a_slow_server_is_judged_by_what_was_found_last() -> None:
    outcomes: list[Exception | None] = [None, ConnectionRefusedError()]

    async def connect() -> None:
        await asyncio.sleep(0.3)
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    fresh = FreshConnections(connect, every_s=0, patience_s=0.05)
    await fresh.check()  # not known yet
    await eventually(lambda: len(outcomes) == 1)
    await fresh.check()  # the first was good, and the second is on its way
    await eventually(lambda: not outcomes and fresh._looking is None)
    fresh._every_s = 60
    with pytest.raises(ConnectionRefusedError):
        await fresh.check()


routes = Routes(tag="fresh")


class Answer(View):
    one: int


@routes.get("/v1/one", auth="public")
async def get_one(tx: Any) -> Answer:
    return Answer(one=await tx.fetchval("SELECT 1"))


async def test_readiness_and_routes_tell_the_same(role: Role, database: Database) -> None:
    """Readiness said ready while every route answered 500: the pool could make no new connection."""
    health = Health()
    health.watch({"postgres": database.check}, [], serving=True)
    health.started = True
    app = make_app("fresh", [routes], app=None, begin=lambda _: database.begin(), access_log=False)
    async with serving(app) as call, TestClient(TestServer(ops_app(health))) as probe:
        assert (await call("GET", "/v1/one")).status == 200
        assert (await probe.get("/readyz")).status == 200
        await role.admin.execute(f"ALTER ROLE {role.name} PASSWORD 'second'")
        assert (await call("GET", "/v1/one")).status == 200, "the connections of the pool live on"
        unready = await probe.get("/readyz")
        assert (unready.status, (await unready.json())["reasons"]) == (503, {"postgres": "InvalidPasswordError"})

        await role.admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role.name)
        for _ in range(5):
            refused = await call("GET", "/v1/one")
            assert (refused.status, refused.code) == (503, "service.unavailable")
            assert int(refused.headers["Retry-After"]) >= 1
        assert (await probe.get("/readyz")).status == 503

        await role.admin.execute(f"ALTER ROLE {role.name} PASSWORD 'first'")
        assert (await call("GET", "/v1/one")).status == 200
        assert (await probe.get("/readyz")).status == 200
