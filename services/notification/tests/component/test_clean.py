"""What is past its time goes, also where one row of the batch cannot be deleted."""

from notification.adapters.erasure_job import erase_expired

ROWS = 40


async def left(app, table):
    async with app.database.read() as conn:
        return await conn.fetchval(f"SELECT count(*) FROM {table}")


async def test_one_row_that_cannot_be_deleted_stays_and_the_others_go(idle_app, owner):
    async with idle_app.database.begin() as conn:
        await conn.execute(
            """INSERT INTO notification (user_id, notification_id, notification_type, category, priority, dedupe_key,
                   action_url, params, created_at, expires_at)
               SELECT gen_random_uuid(), gen_random_uuid(), 'welcome', 'system', 'low', n::text, '', '{}',
                   now() - interval '91 days', now() - interval '1 day' FROM generate_series(1, $1) n""",
            ROWS,
        )
        await conn.execute(
            """INSERT INTO delivery (delivery_id, channel, priority, message_type, status, created_at, expires_at,
                   ended_at, failure_code)
               SELECT gen_random_uuid(), 'email', 'low', 'welcome', 'sent', now() - interval '40 days', now(),
                   now() - interval '31 days', n::text FROM generate_series(1, $1) n""",
            ROWS,
        )
    await owner.execute(
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$BEGIN IF coalesce(to_jsonb(OLD) ->> 'dedupe_key', to_jsonb(OLD) ->> 'failure_code') = '17' THEN
           RAISE 'poisoned'; END IF; RETURN OLD; END$$"""
    )
    for table in ("notification", "delivery"):
        await owner.execute(f"CREATE TRIGGER refuse BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
    await erase_expired(idle_app.database)
    assert (await left(idle_app, "notification"), await left(idle_app, "delivery")) == (1, 1)


async def test_nothing_to_clean_is_no_work(idle_app):
    await erase_expired(idle_app.database)
    assert await left(idle_app, "recipient") == 0
