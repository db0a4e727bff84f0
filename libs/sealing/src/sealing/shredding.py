"""The end of a person's key. Its row stays without the key, so that they never get another."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

_SHRED: Final = """
    INSERT INTO person_key (user_id, wrapped_key, created_at, shredded_at) VALUES ($1, NULL, $2, $2)
    ON CONFLICT (user_id) DO UPDATE SET wrapped_key = NULL,
        shredded_at = coalesce(person_key.shredded_at, excluded.shredded_at)
"""


async def shred_key(conn: asyncpg.Connection[Any], user_id: UUID, now: datetime) -> None:
    """From the commit on nothing they wrote can be opened, in any process once it forgets what it cached."""
    await conn.execute(_SHRED, user_id, now)
