"""Reads what feeds are missing: one read for all who wait for the same, a few reads at a time."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from prometheus_client import Counter

from kernel.tasks import stop_tasks
from messaging.realtime.socket.feed import Feed
from messaging.realtime.socket.streams import PositionTooOldError, StreamKind

READ_MAX: Final = 200
READS_AT_ONCE: Final = 4
# Two transactions of one dialog may be told in the other order, moments apart: no reason to read.
_HOLE_PATIENCE_S: Final = 0.005
_EMPTY_MAX: Final = 5
_EMPTY_PAUSE_S: Final = 0.02
_RETRY_S: Final = 0.5
log = structlog.get_logger(__name__)
reads = Counter("messaging_realtime_catch_up_reads", "Reads of events that watchers were missing")
read_events = Counter("messaging_realtime_catch_up_events", "Events read for watchers that were missing them")


class CatchUp:
    """Of one kind of stream. ``want`` is what feeds call; each has at most one task. ``at_once`` bounds the reads."""

    def __init__(self, kind: StreamKind, at_once: asyncio.Semaphore) -> None:
        self._kind = kind
        self._at_once = at_once
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, feed: Feed) -> None:
        """Something may be missing in this feed."""
        if feed.mending or feed.next_read() is None:
            return
        feed.mending = True
        task = asyncio.create_task(self._mend(feed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop reading."""
        await stop_tasks(*self._tasks)

    async def _mend(self, feed: Feed) -> None:
        empty = 0
        try:
            if not feed.has_joiners:
                await asyncio.sleep(_HOLE_PATIENCE_S)
            while True:
                async with self._at_once:
                    after = feed.next_read()
                    if after is None:
                        return
                    progress = await self._step(feed, after)
                if progress:
                    empty = 0
                    continue
                empty += 1
                if empty > _EMPTY_MAX:
                    feed.give_up()
                    return
                await asyncio.sleep(_EMPTY_PAUSE_S * empty)
        finally:
            feed.mending = False

    async def _step(self, feed: Feed, after: int) -> bool:
        reads.inc()
        try:
            items = await self._kind.read(feed.key, after, READ_MAX)
        except PositionTooOldError as error:
            feed.too_old(error.oldest_seq)
            return feed.next_read() != after
        except Exception as error:  # noqa: BLE001 -- the database may be away: what is missing is asked for again
            log.warning("realtime.unread", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)
            return False
        read_events.inc(len(items))
        feed.fill(items)
        return bool(items)
