"""Who had ended before the service knew of ends: found by the migration, from a database of the version before."""

import uuid

import asyncpg

LIVE, DELETED, ERASED = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
LIVE_BOT, ORPHAN_BOT, ENDED_BOT = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


async def test_those_who_went_before_are_ended_by_the_migration(databases, migrate):
    made = await databases.create_unmigrated("messaging")
    await migrate(made, "0013")
    conn = await asyncpg.connect(made.dsn)
    try:
        for user_id in (LIVE, DELETED, LIVE_BOT, ORPHAN_BOT, ENDED_BOT):
            await conn.execute("INSERT INTO account (user_id, display_name) VALUES ($1, 'x')", user_id)
        await conn.execute("INSERT INTO account (user_id, erased_at) VALUES ($1, now())", ERASED)
        await conn.execute(
            "INSERT INTO person_erasure (user_id, reason, requested_at, due_at) "
            "VALUES ($1, 'account_deleted', now() - interval '2 days', now() + interval '28 days')",
            DELETED,
        )
        for bot_id, owner_id, ended in (
            (LIVE_BOT, LIVE, False),
            (ORPHAN_BOT, DELETED, False),
            (ENDED_BOT, LIVE, True),
        ):
            await conn.execute(
                "INSERT INTO bot (bot_id, owner_id, username, display_name, token_hash, webhook_url, webhook_secret, "
                "created_at, deleted_at) VALUES ($1, $2, $3, 'Bot', $4, $5, $6, now(), CASE WHEN $7 THEN now() END)",
                *(bot_id, owner_id, bot_id.hex, bot_id.bytes),
                *((None, None) if ended else ("https://a.example", b"s")),
                ended,
            )
        await migrate(made, "head")
        ended = {row["user_id"] for row in await conn.fetch("SELECT user_id FROM account WHERE ended_at IS NOT NULL")}
        due = {row["user_id"] for row in await conn.fetch("SELECT user_id FROM account_ending WHERE due_at <= now()")}
        hooks = {row["bot_id"] for row in await conn.fetch("SELECT bot_id FROM bot WHERE webhook_url IS NOT NULL")}
    finally:
        await conn.close()
    assert ended == due == {DELETED, ERASED, ORPHAN_BOT, ENDED_BOT}
    assert hooks == {LIVE_BOT}
