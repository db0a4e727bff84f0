"""Deliveries from before their values had bounds are brought within them by the migration, which goes both ways."""

import asyncio
import os
import sys

import asyncpg

from notification_testing.running import ENVIRONMENT
from testkit.databases import migrating, placeholder_settings

OUT_OF_BOUNDS = {
    "attempts": ("2147483647", "1000"),
    "next_attempt_at": ("'-infinity'", "'2000-01-01 00:00+00'"),
    "expires_at": ("'20000-01-01 00:00+00'", "'9000-01-01 00:00+00'"),
}


async def migrate(database, to):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "notification", "migrate", "--to", to),
        env={**os.environ, **placeholder_settings("notification"), **ENVIRONMENT, **migrating(database)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_values_out_of_bounds_are_brought_within_them_and_what_fits_stays(idle_database):
    await migrate(idle_database, "0002")
    conn = await asyncpg.connect(idle_database.owner_dsn)
    try:
        for number in range(2):
            await conn.execute(
                """INSERT INTO delivery (delivery_id, channel, priority, message_type, status, created_at, expires_at,
                       next_attempt_at, attempts, failure_code)
                   VALUES (gen_random_uuid(), 'sms', 'urgent', 'otp', 'pending', now(), now(), now(), 3, $1)""",
                str(number),
            )
        changed = ", ".join(f"{name} = {value}" for name, (value, _) in OUT_OF_BOUNDS.items())
        await conn.execute(f"UPDATE delivery SET {changed} WHERE failure_code = '1'")
        fits = await conn.fetchval("SELECT d::text FROM delivery d WHERE failure_code = '0'")
        await migrate(idle_database, "head")
        assert await conn.fetchval("SELECT d::text FROM delivery d WHERE failure_code = '0'") == fits
        expected = " AND ".join(f"{name} = {value}" for name, (_, value) in OUT_OF_BOUNDS.items())
        assert await conn.fetchval(f"SELECT {expected} AND ended_at IS NULL FROM delivery WHERE failure_code = '1'")
        assert await conn.fetchval(
            "SELECT bool_and(convalidated) FROM pg_constraint WHERE conname IN ('attempts_fit', 'times_fit')"
        )
    finally:
        await conn.close()
