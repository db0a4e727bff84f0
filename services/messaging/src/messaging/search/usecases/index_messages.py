"""Make messages findable as they are now: what was sent or edited is indexed, what was deleted is taken out.

Told only which messages changed, and reads them: so it may be called again, late, or in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg

from messaging.core.adapters.message_reads import MessageRows, content_of
from messaging.search.adapters.blind import BlindIndex, stretch_of
from messaging.search.adapters.search_store import Entry, SearchStore
from messaging.search.adapters.terms import terms_of
from sealing import PersonKeys


async def index_messages(
    conn: asyncpg.Connection[Any], keys: PersonKeys, blind: BlindIndex, messages: Iterable[tuple[UUID, int]]
) -> int:
    """How many of them can be found now."""
    wanted = sorted(set(messages))
    rows = await MessageRows(conn).messages_at(wanted)
    await keys.load(conn, {row["sender_id"] for row in rows.values()})
    entries = []
    for (dialog_id, seq), row in sorted(rows.items()):
        content = content_of(keys, row)
        if content is not None:
            stretch = stretch_of(seq)
            await asyncio.sleep(0)  # cutting one message into words takes long enough for others to wait
            terms = blind.vector(dialog_id, stretch, terms_of(content, row["sender_id"], row["type"]))
            entries.append(Entry(dialog_id, seq, row["created_at"], row["version"], stretch, terms))
    readable = {(each.dialog_id, each.seq) for each in entries}
    await SearchStore(conn).put_entries(entries)
    await SearchStore(conn).remove_entries([each for each in wanted if each not in readable])
    return len(entries)
