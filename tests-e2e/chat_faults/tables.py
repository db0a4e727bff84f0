"""What the database holds of a dialog, as a log to be judged like a reader's."""

from __future__ import annotations

import uuid

import asyncpg
from demo.facts import service_environment

from chat_faults.readers import Log

_STORED = """
    SELECT seq, client_message_id FROM messaging.message WHERE dialog_id = $1
    UNION ALL SELECT seq, NULL FROM messaging.change WHERE dialog_id = $1 ORDER BY seq
"""


async def stored_log(dialog_id: str) -> Log:
    conn = await asyncpg.connect(service_environment("infra")["POSTGRES_ADMIN_DSN"])
    try:
        rows = await conn.fetch(_STORED, uuid.UUID(dialog_id))
    finally:
        await conn.close()
    return [(row["seq"], str(row["client_message_id"]) if row["client_message_id"] else None) for row in rows]
