"""The role that serves owns nothing: what it may do to rows, and what nobody but the owner may do to tables."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from chassis import migrations
from chassis.http.problems import refusal_of
from chassis.outages import NotReadyError
from chassis.postgres import Database
from chassis.rights import Rights, apply, role_of
from chassis.run.health import Health
from chassis.settings import ServiceSettings
from testkit.databases import Databases, ServiceDatabase

pytestmark = pytest.mark.component

FOLDER = Path(__file__).parent / "shop_migrations"
REFUSED = asyncpg.InsufficientPrivilegeError


@pytest_asyncio.fixture
async def made(databases: Databases) -> ServiceDatabase:
    return await databases.create_unmigrated("shop")


@pytest.fixture
def settings(made: ServiceDatabase, shop_settings: Callable[..., ServiceSettings]) -> ServiceSettings:
    return shop_settings(made.dsn, database_owner_dsn=made.owner_dsn)


@pytest_asyncio.fixture
async def serving(made: ServiceDatabase, settings: ServiceSettings) -> AsyncIterator[asyncpg.Connection[Any]]:
    await migrations.upgrade(settings, FOLDER)
    conn = await asyncpg.connect(made.dsn)
    yield conn
    await conn.close()


FORBIDDEN = (
    "UPDATE ledger SET id = 2",
    "DELETE FROM ledger",
    "DELETE FROM ledger_default",
    "SELECT FROM ledger_default",
    "TRUNCATE ledger",
    "TRUNCATE counter",
    "INSERT INTO label VALUES ('x')",
    "UPDATE alembic_version SET version_num = 'x'",
    "ALTER TABLE ledger DISABLE ROW LEVEL SECURITY",
    "DROP POLICY own ON ledger",
    "ALTER TABLE counter ADD COLUMN more text",
    "DROP TABLE counter",
    "CREATE INDEX more ON counter (n)",
    "CREATE TRIGGER more BEFORE INSERT ON ledger EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TABLE shop.more (id integer)",
    "CREATE FUNCTION shop.more() RETURNS void LANGUAGE sql AS 'SELECT'",
    "ALTER FUNCTION forget_ledger SECURITY INVOKER",
    "DROP SCHEMA shop CASCADE",
    "SELECT setval('number', 100)",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_role_that_serves_is_refused(serving: asyncpg.Connection[Any], statement: str) -> None:
    with pytest.raises(REFUSED):
        await serving.execute(statement)


@pytest.mark.parametrize("statement", [each for each in FORBIDDEN if not each.startswith("DROP SCHEMA")])
async def test_the_owner_is_not(made: ServiceDatabase, settings: ServiceSettings, statement: str) -> None:
    """The control: each statement is refused for want of a right, not because it is wrong."""
    await migrations.upgrade(settings, FOLDER)
    owner = await asyncpg.connect(made.owner_dsn)
    try:
        await owner.execute(statement)
    finally:
        await owner.close()


async def test_it_does_what_it_is_for(serving: asyncpg.Connection[Any]) -> None:
    await serving.execute("UPDATE counter SET n = 1 WHERE id = 1")
    await serving.execute("DELETE FROM counter WHERE id = 2")
    await serving.execute("SET sampan.user_id = 'ann'")
    await serving.execute("INSERT INTO ledger VALUES (1, 'ann'), (2, 'ann')")
    assert await serving.fetchval("SELECT nextval('number')") == 1
    assert await serving.fetchval("SELECT count(*) FROM label") == 0
    assert await serving.fetchval("SELECT forget_ledger(2)") == 1
    assert await serving.fetchval("SELECT count(*) FROM ledger") == 1
    await serving.execute("SET sampan.user_id = 'bob'")
    assert await serving.fetchval("SELECT count(*) FROM ledger") == 0
    with pytest.raises(REFUSED, match="row-level security"):
        await serving.execute("SET row_security = off; SELECT count(*) FROM ledger")


async def test_a_function_of_the_owner_cannot_be_led_elsewhere(
    made: ServiceDatabase, settings: ServiceSettings
) -> None:
    """A table of the caller's with the same name, first in the caller's path, is not the one it works on."""
    await migrations.upgrade(settings, FOLDER)
    admin = await asyncpg.connect(made.admin_dsn)
    role = role_of(made.dsn)
    await admin.execute(f'GRANT TEMPORARY ON DATABASE "{made.name}" TO "{role}"')
    await admin.close()
    conn = await asyncpg.connect(made.dsn)
    try:
        await conn.execute("CREATE TEMPORARY TABLE ledger (id integer, user_id text)")
        await conn.execute("INSERT INTO ledger VALUES (1, 'ann')")
        await conn.execute("SET search_path = pg_temp, shop")
        assert await conn.fetchval("SELECT shop.forget_ledger(2)") == 0
    finally:
        await conn.close()


async def test_nobody_else_may_call_it(made: ServiceDatabase, serving: asyncpg.Connection[Any]) -> None:
    admin = await asyncpg.connect(made.admin_dsn)
    other = f"t_other_{uuid.uuid4().hex[:8]}"
    try:
        await admin.execute(f"CREATE ROLE {other}")
        await admin.execute(f"GRANT USAGE ON SCHEMA shop TO {other}")
        await admin.execute(f"SET ROLE {other}")
        with pytest.raises(REFUSED):
            await admin.execute("SELECT shop.forget_ledger(2)")
    finally:
        await admin.execute("RESET ROLE")
        await admin.execute(f"DROP OWNED BY {other}; DROP ROLE {other}")
        await admin.close()


async def test_what_a_new_version_says_is_given_and_taken(
    made: ServiceDatabase, serving: asyncpg.Connection[Any]
) -> None:
    owner = await asyncpg.connect(made.owner_dsn)
    role = role_of(made.dsn)
    try:
        await apply(owner, "shop", role, Rights(append_only=("counter",), never_deleted=("ledger",)))
        with pytest.raises(REFUSED):
            await serving.execute("UPDATE counter SET n = 1")
        with pytest.raises(REFUSED):
            await serving.execute("DELETE FROM ledger")
        await serving.execute("UPDATE ledger SET id = 1")
        await apply(owner, "shop", role, Rights(never_changed=("counter",)))
        with pytest.raises(REFUSED):
            await serving.execute("UPDATE counter SET n = 1")
        await serving.execute("DELETE FROM counter WHERE id = 1")
    finally:
        await owner.close()


async def test_down_to_nothing_leaves_no_function(made: ServiceDatabase, settings: ServiceSettings) -> None:
    await migrations.upgrade(settings, FOLDER)
    assert await migrations.upgrade(settings, FOLDER, to="base") == "base"
    owner = await asyncpg.connect(made.owner_dsn)
    try:
        assert await owner.fetch("SELECT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace") == []
    finally:
        await owner.close()


TAKEN = {
    "INSERT on counter": ("REVOKE INSERT ON counter FROM {0}", "INSERT INTO counter VALUES (5000, 1)"),
    "SELECT on ledger": ("REVOKE SELECT ON ledger FROM {0}", "SELECT FROM ledger"),
    "USAGE on number": ("REVOKE USAGE ON SEQUENCE number FROM {0}", "SELECT nextval('number')"),
    "EXECUTE on forget_ledger": (
        "REVOKE EXECUTE ON FUNCTION forget_ledger FROM {0}",
        "SELECT forget_ledger(2)",
    ),
    "USAGE on schema shop": ("REVOKE USAGE ON SCHEMA shop FROM {0}", "SELECT FROM shop.counter"),
}


@pytest.mark.parametrize(("missing", "taken"), TAKEN.items(), ids=list(TAKEN))
async def test_a_right_that_was_taken_makes_the_process_unready_and_says_which(
    made: ServiceDatabase, settings: ServiceSettings, missing: str, taken: tuple[str, str]
) -> None:
    await migrations.upgrade(settings, FOLDER)
    database = await Database.connect(settings)
    owner = await asyncpg.connect(made.owner_dsn, server_settings={"search_path": "shop"})
    health = Health()
    health.watch({"postgres": database.check}, [], serving=True)
    health.started = True
    try:
        assert await health.reasons() == ({}, {})
        await owner.execute(taken[0].format(role_of(made.dsn)))
        assert await health.reasons() == ({"postgres": f"the role that serves lacks {missing}"}, {})
        async with database.read() as conn:
            with pytest.raises(asyncpg.PostgresError) as caught:
                await conn.execute(taken[1])
        if "schema" not in missing or isinstance(caught.value, REFUSED):
            assert refusal_of(caught.value).code == "service.unavailable"
        await migrations.upgrade(settings, FOLDER)
        assert await health.reasons() == ({}, {}), "the next migration gives it back"
    finally:
        await database.close()
        await owner.close()


async def test_functions_are_called_by_a_right_of_ones_own(made: ServiceDatabase, settings: ServiceSettings) -> None:
    """What everybody may call is often taken from everybody."""
    await migrations.upgrade(settings, FOLDER)
    owner = await asyncpg.connect(made.owner_dsn, server_settings={"search_path": "shop"})
    database = await Database.connect(settings)
    try:
        await owner.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA shop FROM PUBLIC")
        await database.check()
        await owner.execute("CREATE FUNCTION doubled(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * n'")
        await migrations.upgrade(settings, FOLDER)
        await owner.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA shop FROM PUBLIC")
        await database.check()
        async with database.read() as conn:
            assert await conn.fetchval("SELECT doubled(4)") == 8
        await owner.execute(f'REVOKE EXECUTE ON FUNCTION doubled FROM "{role_of(made.dsn)}"')
        with pytest.raises(NotReadyError, match="EXECUTE on doubled"):
            await database.check()
        await owner.execute(f'GRANT EXECUTE ON FUNCTION doubled TO "{role_of(made.dsn)}"')
        await owner.execute("CREATE FUNCTION by_hand() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
        await owner.execute("REVOKE EXECUTE ON FUNCTION by_hand FROM PUBLIC")
        await database.check()  # nobody gave it that one
    finally:
        await database.close()
        await owner.close()


async def test_what_row_level_security_refuses_is_a_defect_and_no_outage(
    serving: asyncpg.Connection[Any],
) -> None:
    await serving.execute("SET sampan.user_id = 'ann'")
    with pytest.raises(REFUSED) as caught:
        await serving.execute("INSERT INTO ledger VALUES (1, 'bob')")
    assert refusal_of(caught.value).code == "internal.error"


async def test_before_rights_were_ever_given_it_is_asked_for_the_schema_alone(
    made: ServiceDatabase, settings: ServiceSettings
) -> None:
    database = await Database.connect(settings)
    try:
        await database.check()
    finally:
        await database.close()
