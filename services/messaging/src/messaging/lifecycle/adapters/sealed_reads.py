"""The audit's look at what is sealed: a sample is opened, for only that shows that a key is the right one.

Messages, what they said before, drafts and scheduled messages, of the newest dialogs and people and of as many by
chance: run often, it comes to look everywhere.
"""

from __future__ import annotations

from typing import Final

from chassis.postgres import Connection
from messaging.lifecycle.adapters.invariants import somewhere
from operations.invariants import Check, Finding, snapshot
from sealing import Wrapping, unseal

SAMPLE: Final = 300
EACH_MAX: Final = 20
_EXAMPLES: Final = 5
_PREFETCH: Final = 200
CHECK: Final = Check(
    "MSG-4",
    "what is sealed opens under its writer's key",
    """
    WITH dialogs AS (
        (SELECT dialog_id FROM dialog ORDER BY dialog_id DESC LIMIT $1)
        UNION (SELECT dialog_id FROM dialog WHERE dialog_id >= $2 ORDER BY dialog_id LIMIT $1)
    ), people AS (
        (SELECT user_id FROM person_key ORDER BY user_id DESC LIMIT $1)
        UNION (SELECT user_id FROM person_key WHERE user_id >= $3 ORDER BY user_id LIMIT $1)
    ), written AS (
        SELECT 'message ' || dialog_id || ' ' || m.seq AS what, m.sender_id AS user_id, m.content AS sealed
        FROM dialogs d CROSS JOIN LATERAL (
            SELECT seq, sender_id, content FROM message WHERE dialog_id = d.dialog_id ORDER BY seq DESC LIMIT $4) AS m
        UNION ALL
        SELECT 'revision ' || dialog_id || ' ' || r.seq || ' ' || r.version, r.sender_id, r.content
        FROM dialogs d CROSS JOIN LATERAL (
            SELECT seq, version, sender_id, content FROM message_revision WHERE dialog_id = d.dialog_id
            ORDER BY seq DESC, version DESC LIMIT $4) AS r
        UNION ALL
        SELECT 'draft ' || f.dialog_id || ' ' || user_id, user_id, f.content
        FROM people p CROSS JOIN LATERAL (
            SELECT dialog_id, content FROM draft WHERE user_id = p.user_id LIMIT $4) AS f
        UNION ALL
        SELECT 'scheduled ' || s.scheduled_id, user_id, s.body
        FROM people p CROSS JOIN LATERAL (
            SELECT scheduled_id, body FROM scheduled_message WHERE user_id = p.user_id AND status = 'pending'
            LIMIT $4) AS s
    )
    SELECT what, user_id, sealed, wrapped_key FROM written JOIN person_key USING (user_id)
    WHERE length(sealed) > 0 AND wrapped_key IS NOT NULL
    """,
)


async def audit_sealed(conn: Connection, wrapping: Wrapping, *, sample: int = SAMPLE) -> Finding:
    """Open the sample, in one snapshot."""
    count = 0
    examples: list[str] = []
    async with snapshot(conn):
        await conn.execute("SET LOCAL sampan.workspace_id = '*'")
        places = [await somewhere(conn, "dialog", "dialog_id"), await somewhere(conn, "person_key", "user_id")]
        async for row in conn.cursor(CHECK.sql, sample, *places, EACH_MAX, prefetch=_PREFETCH):
            key = wrapping.unwrap(row["user_id"], row["wrapped_key"])
            if key is None or unseal(key, row["user_id"], row["sealed"]) is not None:
                continue
            count += 1
            if len(examples) < _EXAMPLES:
                examples.append(row["what"])
    return Finding(CHECK, count, examples)
