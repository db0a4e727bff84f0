"""Make messages findable as they are now: what was sent or edited is indexed, what was deleted is taken out.

Told only which messages changed, and reads them: so it may be called again, late, or in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from messaging.search.domain.blind import BlindIndex, stretch_of
from messaging.search.domain.index import Entry, Place, ReadableMessage
from messaging.search.domain.terms import terms_of
from messaging.search.usecases.ports import Tx


async def index_messages(messages: Iterable[Place], tx: Tx, blind: BlindIndex) -> int:
    """How many of them can be found now."""
    wanted = sorted(set(messages))
    entries = []
    for message in await tx.search.readable(wanted):
        await asyncio.sleep(0)  # cutting one message into words takes long enough for others to wait
        entries.append(_entry_of(message, blind))
    found = {(each.dialog_id, each.seq) for each in entries}
    await tx.search.put(entries)
    await tx.search.remove([each for each in wanted if each not in found])
    return len(entries)


def _entry_of(message: ReadableMessage, blind: BlindIndex) -> Entry:
    stretch = stretch_of(message.seq)
    terms = terms_of(message.content, message.sender_id, message.kind)
    vector = blind.vector(message.dialog_id, stretch, terms)
    return Entry(message.dialog_id, message.seq, message.created_at, message.version, stretch, vector)
