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

from messaging.bots.domain.bot import Backlog, concerns_bot
from messaging.bots.usecases.ports import Tx
from operations import alone

PLACES: Final = 50
EVENTS: Final = 200
PUT_OFF: Final = timedelta(minutes=1)
Place = tuple[UUID, UUID]
"""A dialog, and the bot in it."""
PutOff = dict[Place, datetime]
"""Places that failed, and until when they are left."""


async def collect_updates(put_off: PutOff, tx: Tx) -> set[UUID]:
    """Bots that have something new; empty when nobody is behind. Places that fail are added to ``put_off``."""
    updated: set[UUID] = set()
    for place in [place for place, until in put_off.items() if until <= tx.now]:
        del put_off[place]
    found = await tx.bots.lock_backlogs(PLACES + len(put_off))
    backlogs = {(each.dialog_id, each.bot_id): each for each in found}

    async def collect(place: Place) -> None:
        async with tx.savepoint():
            if await _collect(backlogs[place], tx):
                updated.add(place[1])

    for place in backlogs:
        if place not in put_off and not await alone(place, collect):
            put_off[place] = tx.now + PUT_OFF
    return updated


async def _collect(backlog: Backlog, tx: Tx) -> bool:
    """Whether something is told; moves the bot's cursor over all that was looked at."""
    events = await tx.streams.events_after(backlog.dialog_id, backlog.heard_seq, EVENTS)
    if not events:
        return False
    shown = [(each.seq, orjson.loads(each.frame)) for each in events if each.is_shown_from(backlog.from_seq)]
    own = await tx.bots.written_among(backlog, _answered([event for _, event in shown]))
    seqs = [seq for seq, event in shown if concerns_bot(backlog, event, own)]
    await tx.bots.add_updates(backlog, seqs, events[-1].seq, tx.now)
    return bool(seqs)


def _answered(events: list[dict[str, Any]]) -> set[int]:
    """Messages that are replied to, or whose threads are answered in."""
    messages = [event["message"] for event in events if event.get("message")]
    targets = {message[name] for message in messages for name in ("reply_to_seq", "thread_seq")}
    return {each for each in targets if each is not None}
