"""Dialogs that an older version left without an owner, or to a bot, have one after the migration."""

import uuid

import asyncpg

BOT, ENDED, ADMIN, FIRST, LATER = [uuid.uuid4() for _ in range(5)]
OWNERLESS, OF_A_BOT, BOTS_ONLY, OWNED, PAIR, PRODUCT = [uuid.uuid4() for _ in range(6)]
PLACES = {
    OWNERLESS: [(LATER, "member", "active", 2), (FIRST, "member", "muted", 1), (ENDED, "admin", "active", 0)],
    OF_A_BOT: [(BOT, "owner", "active", 0), (FIRST, "member", "active", 1), (ADMIN, "admin", "active", 2)],
    BOTS_ONLY: [(BOT, "owner", "active", 0)],
    OWNED: [(LATER, "owner", "muted", 2), (ADMIN, "admin", "active", 0)],
    PAIR: [(FIRST, "member", "active", 0), (LATER, "member", "active", 0)],
    PRODUCT: [(FIRST, "member", "active", 0), (LATER, "guest", "left", 0)],
}
KINDS = {PAIR: "direct", PRODUCT: "topic", OWNED: "channel"}


async def keep(conn, dialog_id, places):
    kind = KINDS.get(dialog_id, "group")
    entity = ("product", uuid.uuid4()) if kind == "topic" else (None, None)
    await conn.execute(
        "INSERT INTO dialog (dialog_id, workspace_id, kind, pair_key, entity_type, entity_id, members_max, last_at, "
        "created_at) VALUES ($1, $1, $2, $3, $4, $5, 9, now(), now())",
        *(dialog_id, kind, "a:b" if kind == "direct" else None, *entity),
    )
    for user_id, role, status, joined in places:
        await conn.execute(
            "INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq, ended_seq) "
            "VALUES ($1, $2, $1, $3, $4, now() + $5 * interval '1 s', 1, CASE WHEN $4 = 'left' THEN 1 END)",
            *(dialog_id, user_id, role, status, joined),
        )


async def test_dialogs_without_an_owner_are_given_one_by_the_migration(databases, migrate):
    made = await databases.create_unmigrated("messaging")
    await migrate(made, "0025")
    conn = await asyncpg.connect(made.dsn)
    try:
        await conn.execute("SELECT set_config('sampan.workspace_id', '*', false)")
        await conn.execute("INSERT INTO account (user_id, is_bot) VALUES ($1, true)", BOT)
        await conn.execute("INSERT INTO account (user_id, ended_at) VALUES ($1, now())", ENDED)
        await conn.execute("INSERT INTO account (user_id) VALUES ($1)", FIRST)
        for dialog_id, places in PLACES.items():
            await keep(conn, dialog_id, places)
        await migrate(made, "0026")
        rows = await conn.fetch("SELECT dialog_id, user_id, status FROM member WHERE role = 'owner'")
        owners = {row["dialog_id"]: (row["user_id"], row["status"]) for row in rows}
        active = {OWNERLESS: FIRST, OF_A_BOT: ADMIN, OWNED: LATER, PRODUCT: FIRST}
        assert owners == {dialog_id: (user_id, "active") for dialog_id, user_id in active.items()}
        assert len(rows) == len(owners)
        await migrate(made, "0025")
        assert await conn.fetchval("SELECT count(*) FROM member WHERE role = 'owner'") == len(owners)
    finally:
        await conn.close()
