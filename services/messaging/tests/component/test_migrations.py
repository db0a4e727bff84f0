"""Migrations on rows of the version before: what they mend is mended, and not hidden from them by a policy."""

from __future__ import annotations

import uuid

import asyncpg
import pytest

pytestmark = pytest.mark.component


async def add_account(conn, **columns):
    user_id = uuid.uuid4()
    names = ", ".join(["user_id", *columns])
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 2))
    await conn.execute(f"INSERT INTO messaging.account ({names}) VALUES ({places})", user_id, *columns.values())
    return user_id


async def add_dialog(conn, kind, title):
    dialog_id = uuid.uuid4()
    await conn.execute(
        "INSERT INTO messaging.dialog (dialog_id, workspace_id, kind, title, pair_key, members_max, last_seq, last_at, "
        "created_at) VALUES ($1, $1, $2, $3, $4, 100, 9, now(), now())",
        *(dialog_id, kind, title, None if kind == "group" else dialog_id.hex),
    )
    return dialog_id


@pytest.fixture
async def before(databases, migrate):
    """A database of the version before, moved by a function, and a connection that sees everything."""
    made = await databases.create_unmigrated("messaging")

    async def move(to):
        await migrate(made, to)

    await move("0022")
    conn = await asyncpg.connect(made.admin_dsn)
    yield move, conn
    await conn.close()


async def test_what_was_read_with_receipts_off_is_untold_also_where_policies_hide_rows_from_the_owner(before):
    move, conn = before
    people = [await add_account(conn, read_receipts=tells) for tells in (True, False)]
    dialog_id = await add_dialog(conn, "direct", "")
    for user_id in people:
        await conn.execute(
            "INSERT INTO messaging.member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq, "
            "read_seq) VALUES ($1, $2, $1, 'member', 'active', now(), 1, 7)",
            *(dialog_id, user_id),
        )
    await move("0024")
    rows = await conn.fetch("SELECT user_id, read_untold_seq FROM messaging.member")
    assert dict(map(tuple, rows)) == dict(zip(people, (0, 7), strict=True))


async def test_names_that_one_gave_a_dialog_of_two_are_gone(before):
    move, conn = before
    named = [await add_dialog(conn, kind, "Sampan Support") for kind in ("direct", "bot", "business", "group")]
    await move("head")
    titles = dict(map(tuple, await conn.fetch("SELECT dialog_id, title FROM messaging.dialog")))
    assert [titles[each] for each in named] == ["", "", "Sampan Support", "Sampan Support"]


async def test_epochs_of_access_outlive_a_way_back(before):
    """Tokens go on saying them: with 0 here, each would be taken for a new proof that ends what the owner made."""
    move, conn = before
    await move("head")
    owner = await add_account(conn, access_epoch=1)
    await move("0022")
    await move("head")
    assert await conn.fetchval("SELECT access_epoch FROM messaging.account WHERE user_id = $1", owner) == 1


async def test_dead_letters_that_wait_for_a_topic_that_never_was_go_where_all_go(before):
    move, conn = before
    await conn.execute(
        "INSERT INTO messaging.outbox (lane, event_id, topic, key, body, occurred_at, correlation_id) "
        "VALUES (0, $1, 'private.messaging.follower.dlq.v1', 'k', '', now(), 'c')",
        uuid.uuid4(),
    )
    await move("head")
    assert await conn.fetchval("SELECT topic FROM messaging.outbox") == "private.messaging.dlq.v1"
