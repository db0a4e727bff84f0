"""Audits by the clock: one process at a time, not cut like a request, and silent about what another now knows."""

import asyncio

import asyncpg
import pytest
from prometheus_client import REGISTRY

from operations import audit_connection, audit_job
from operations.audits import FAULTS
from testkit.wait import eventually


def faults():
    return REGISTRY.get_sample_value("operations_audit_faults", {"service": "commerce"})


def audited_at():
    return REGISTRY.get_sample_value("operations_audit_timestamp_seconds", {"service": "commerce"})


@pytest.fixture(autouse=True)
def no_earlier_word():
    FAULTS.clear()


async def test_an_audit_that_fails_keeps_its_last_word_and_its_age(world):
    told = iter((2, OSError("gone")))

    async def audit(_):
        found = next(told)
        if isinstance(found, Exception):
            raise found
        return found

    job = audit_job(world.app, audit)
    await job._fn()
    assert faults() == 2
    at = audited_at()
    with pytest.raises(OSError, match="gone"):
        await job._fn()
    assert (faults(), audited_at()) == (2, at)


async def test_one_process_audits_at_a_time(world):
    begun, go_on, calls = asyncio.Event(), asyncio.Event(), []

    async def slow(_):
        calls.append("slow")
        begun.set()
        await go_on.wait()
        return 3

    async def other(_):
        calls.append("other")
        return 0

    running = asyncio.create_task(audit_job(world.app, slow)._fn())
    await asyncio.wait_for(begun.wait(), 10)
    await audit_job(world.app, other)._fn()
    assert calls == ["slow"]
    go_on.set()
    await running
    assert faults() == 3
    await audit_job(world.app, other)._fn()
    assert (calls, faults()) == (["slow", "other"], 0)


async def test_who_leaves_it_to_another_forgets_its_last_word(world):
    async def two(_):
        return 2

    job = audit_job(world.app, two)
    await job._fn()
    assert faults() == 2
    async with audit_connection(world.app) as another:
        await another.fetchval("SELECT pg_advisory_lock(hashtextextended('operations.audit:commerce', 0))")
        await job._fn()
        assert faults() is None
    await job._fn()
    assert faults() == 2


async def test_a_process_that_dies_in_its_audit_leaves_no_lock(world):
    async def die(conn):
        await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return 0

    async def sound(_):
        return 0

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await audit_job(world.app, die)._fn()

    async def audited():
        """Postgres tells of the end of a session a moment before it drops its locks."""
        await audit_job(world.app, sound)._fn()
        return faults() == 0

    await eventually(audited)


async def test_an_audit_has_a_time_of_its_own(world):
    async def timeouts(conn):
        return await conn.fetchval("SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'")

    async with world.app.database.read() as conn:
        of_requests_ms = await timeouts(conn)
    async with audit_connection(world.app) as conn:
        assert await timeouts(conn) == 900_000 > of_requests_ms > 0

    async def endless(conn):
        return await conn.fetchval("SELECT pg_sleep(60)")

    with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
        await audit_job(world.app, endless, statement_timeout_s=0.2)._fn()


async def test_an_audit_cannot_write(world):
    async with audit_connection(world.app) as conn:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute("INSERT INTO welcomed VALUES ('nobody')")
