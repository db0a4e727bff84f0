"""Find what bots have to hear: the streams of their dialogs since where each was heard last.

The bot's own delivered cursor says where that is, and moves in the transaction that keeps the updates: nothing is told
twice or left out, whenever the process dies.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson

from messaging.adapters.bot_store import Behind, add_updates, lock_behind
from messaging.adapters.stream_reads import events_after
from messaging.adapters.transaction import MessagingTx
from messaging.domain.bot import hears

PLACES: Final = 50
EVENTS: Final = 200


async def collect_updates(tx: MessagingTx) -> set[UUID]:
    """Bots that have something new; empty when nobody is behind."""
    told = set()
    for behind in await lock_behind(tx.conn, PLACES):
        if await _collect(behind, tx):
            told.add(behind.bot_id)
    return told


async def _collect(behind: Behind, tx: MessagingTx) -> bool:
    events = await events_after(tx.conn, tx.keys, behind.dialog_id, behind.heard_seq, EVENTS)
    if not events:
        return False
    shown = [(each.seq, orjson.loads(each.frame)) for each in events if each.is_shown_from(behind.from_seq)]
    own = await _own_seqs(behind, [event for _, event in shown], tx)
    seqs = [seq for seq, event in shown if hears(behind.bot_id, behind.kind, behind.role, event, own)]
    await add_updates(tx.conn, behind, seqs, events[-1].seq, tx.now)
    return bool(seqs)


async def _own_seqs(behind: Behind, events: list[dict[str, Any]], tx: MessagingTx) -> frozenset[int]:
    """Of the messages that are replied to, or whose threads are answered in, those the bot wrote."""
    messages = [event["message"] for event in events if event.get("message")]
    targets = {message[name] for message in messages for name in ("reply_to_seq", "thread_seq")}
    wanted = [each for each in targets if each is not None]
    if not wanted:
        return frozenset()
    rows = await tx.conn.fetch(
        "SELECT seq FROM message WHERE dialog_id = $1 AND sender_id = $2 AND seq = ANY($3)",
        *(behind.dialog_id, behind.bot_id, wanted),
    )
    return frozenset(row["seq"] for row in rows)
