"""Find what bots have to hear: the streams of their dialogs since where each was heard last.

The bot's own delivered cursor says where that is, and moves in the transaction that keeps the updates: nothing is told
twice or left out, whenever the process dies. A place that fails is told to the log and left for a while; the others
have their turn in the same run.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from messaging.bots.domain.bot import Behind, hears
from messaging.bots.usecases.ports import Tx
from operations import alone

PLACES: Final = 50
EVENTS: Final = 200
PUT_OFF: Final = timedelta(minutes=1)
Place = tuple[UUID, UUID]
"""A dialog, and the bot in it."""
PutOff = dict[Place, datetime]
"""Places that failed, and until when they are left."""


async def collect_updates(tx: Tx, put_off: PutOff) -> set[UUID]:
    """Bots that have something new; empty when nobody is behind."""
    told: set[UUID] = set()
    for place in [place for place, until in put_off.items() if until <= tx.now]:
        del put_off[place]
    found = await tx.bots.lock_behind(PLACES + len(put_off))
    behind = {(each.dialog_id, each.bot_id): each for each in found}

    async def collect(place: Place) -> None:
        async with tx.conn.transaction():
            if await _collect(behind[place], tx):
                told.add(place[1])

    for place in behind:
        if place not in put_off and not await alone(place, collect):
            put_off[place] = tx.now + PUT_OFF
    return told


async def _collect(behind: Behind, tx: Tx) -> bool:
    events = await tx.streams.events_after(behind.dialog_id, behind.heard_seq, EVENTS)
    if not events:
        return False
    shown = [(each.seq, orjson.loads(each.frame)) for each in events if each.is_shown_from(behind.from_seq)]
    own = await _own_seqs(behind, [event for _, event in shown], tx)
    seqs = [seq for seq, event in shown if hears(behind.bot_id, behind.kind, behind.role, event, own)]
    await tx.bots.add_updates(behind, seqs, events[-1].seq, tx.now)
    return bool(seqs)


async def _own_seqs(behind: Behind, events: list[dict[str, Any]], tx: Tx) -> frozenset[int]:
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
