"""What the database holds of a dialog: a log to be judged like a reader's, and how much of it is in the index."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from demo.facts import service_environment

from chat_faults.readers import Log

_STORED = """
    SELECT seq, client_message_id FROM messaging.message WHERE dialog_id = $1
    UNION ALL SELECT seq, NULL FROM messaging.change WHERE dialog_id = $1 ORDER BY seq
"""


async def stored_log(dialog_id: str) -> Log:
    async with _admin() as conn:
        rows = await conn.fetch(_STORED, uuid.UUID(dialog_id))
    return [(row["seq"], str(row["client_message_id"]) if row["client_message_id"] else None) for row in rows]


async def indexed_count(dialog_ids: Iterable[str]) -> int:
    """Messages that can be found by searching: each came back over the outbox and Kafka."""
    wanted = [uuid.UUID(each) for each in dialog_ids]
    async with _admin() as conn:
        return await conn.fetchval("SELECT count(*) FROM messaging.search_entry WHERE dialog_id = ANY($1)", wanted)


@asynccontextmanager
async def _admin() -> AsyncIterator[asyncpg.Connection[Any]]:
    conn = await asyncpg.connect(service_environment("infra")["POSTGRES_ADMIN_DSN"])
    try:
        yield conn
    finally:
        await conn.close()
