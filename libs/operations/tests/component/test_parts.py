"""What a service stands on: one transaction for rows and outbox, and nothing left open."""

import uuid

import asyncpg
import pytest

from operations import open_parts
from sampan.auth.v1.user_pb2 import UserRegistered


async def _published_and_welcomed(app, user_id):
    async with app.database.read() as conn:
        return (
            await conn.fetchval("SELECT count(*) FROM outbox WHERE key = $1", str(user_id)),
            await conn.fetchval("SELECT count(*) FROM welcomed WHERE user_id = $1", str(user_id)),
        )


async def _welcome(app, user_id, *, failing=False):
    async with app.transaction() as (conn, outbox):
        await conn.execute("INSERT INTO welcomed VALUES ($1)", str(user_id))
        outbox.add(UserRegistered(user_id=str(user_id), country="TH", display_name="Somsri"), aggregate_version=1)
        if failing:
            raise LookupError


async def test_rows_and_records_are_committed_together(world):
    person = uuid.uuid4()
    await _welcome(world.app, person)
    assert await _published_and_welcomed(world.app, person) == (1, 1)


async def test_a_transaction_that_fails_leaves_neither(world):
    person = uuid.uuid4()
    with pytest.raises(LookupError):
        await _welcome(world.app, person, failing=True)
    assert await _published_and_welcomed(world.app, person) == (0, 0)


async def test_what_was_opened_is_closed_also_after_an_error(world):
    application = f"parts-{uuid.uuid4().hex[:8]}"
    session = {"application_name": application}

    async def open_and_fail():
        async with open_parts(world.app.settings, "commerce", session=session) as opened:
            async with opened.database.read() as conn:
                assert await conn.fetchval("SHOW application_name") == application
            await opened.redis.ping()
            kept.append(opened)
            raise LookupError

    kept = []
    with pytest.raises(LookupError):
        await open_and_fail()
    with pytest.raises(asyncpg.InterfaceError, match="clos"):
        async with kept[0].database.read():
            pass
    async with world.app.database.read() as conn:
        left = await conn.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", application)
    assert left == 0
