"""ISO: a service's role can touch its own schema only. Every pair tries to break in, and is refused."""

import itertools

import asyncpg
import pytest
from demo.facts import service_environment

pytestmark = pytest.mark.e2e

SERVICES = ("auth", "commerce", "messaging", "payment", "notification", "orchestrator")


def dsn(service):
    return service_environment(service)[f"{service.upper()}_DATABASE_DSN"]


async def tables_of(schema):
    admin = await asyncpg.connect(service_environment("infra")["POSTGRES_ADMIN_DSN"])
    try:
        rows = await admin.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p')", schema
        )
    finally:
        await admin.close()
    return sorted(row["relname"] for row in rows)


@pytest.mark.parametrize(("intruder", "victim"), list(itertools.permutations(SERVICES, 2)))
async def test_no_role_reads_writes_or_builds_in_anothers_schema(stack, intruder, victim):
    tables = await tables_of(victim)
    assert {"outbox", "inbox"} <= set(tables)
    conn = await asyncpg.connect(dsn(intruder))
    try:
        for table in tables:
            for statement in (
                f'SELECT 1 FROM {victim}."{table}" LIMIT 1',
                f'DELETE FROM {victim}."{table}" WHERE false',
                f'INSERT INTO {victim}."{table}" DEFAULT VALUES',
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await conn.execute(statement)
        for statement in (
            f"CREATE TABLE {victim}.intruder (id int)",
            f"SET ROLE {victim}",
            "CREATE TABLE public.intruder (id int)",
            "CREATE SCHEMA intruder",
            "SELECT rolpassword FROM pg_authid",
            "COPY (SELECT 1) TO PROGRAM 'true'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)
    finally:
        await conn.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_does_reach_its_own_schema(stack, service):
    """The control: without it, a wrong password would make the test above pass."""
    conn = await asyncpg.connect(dsn(service))
    try:
        assert await conn.fetchval(f"SELECT count(*) >= 0 FROM {service}.outbox")
        assert not await conn.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await conn.close()
