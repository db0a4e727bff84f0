"""Updates as bots get them: the event as it is now, in the shape of a realtime frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from chassis.postgres import Connection
from messaging.bots.adapters.bot_store import BotStore
from messaging.bots.domain.bot import Update
from messaging.core.adapters.stream_reads import StreamReads
from messaging.core.domain.stream import TooOldError
from sealing import PersonKeys


def channel(bot_id: UUID) -> str:
    """The hint that a bot has something new."""
    return f"bot:{bot_id}"


class UpdateReads:
    def __init__(self, conn: Connection, keys: PersonKeys) -> None:
        self._bots = BotStore(conn)
        self._streams = StreamReads(conn, keys)

    async def next_after(self, bot_id: UUID, update_id: int, limit: int) -> list[dict[str, Any]]:
        """The next that can be shown: not what lies below a dialog's ``oldest_seq`` meanwhile, or where it is out."""
        while True:
            updates = await self._bots.updates_after(bot_id, update_id, limit)
            shown = await self.shown(updates)
            if shown or not updates:
                return shown
            update_id = updates[-1].update_id

    async def shown(self, updates: Sequence[Update]) -> list[dict[str, Any]]:
        """Those of them that the bot may see, each ``{"update_id": …, "event": …}``."""
        shown: list[dict[str, Any]] = []
        for update in updates:
            if update.from_seq is None or update.seq < update.from_seq:
                continue
            try:
                events = await self._streams.events_after(update.dialog_id, update.seq - 1, 1)
            except TooOldError:
                continue
            shown.extend(
                {"update_id": update.update_id, "event": orjson.loads(each.frame)}
                for each in events
                if each.is_shown_from(update.from_seq)
            )
        return shown
