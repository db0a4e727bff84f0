"""Who watches what on this node. Everything here is synchronous: a change is whole before anything else runs.

Invariant: a feed exists while somebody watches it, and its Redis channel is wanted exactly as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from messaging.realtime.socket.catch_up import CatchUp
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.feed import Feed, Watcher
from messaging.realtime.socket.streams import Item, StreamKind

ItemListener = Callable[[Feed, Item], None]
DoubtListener = Callable[[Feed, Watcher, int], None]


class Streams:
    """The feeds of one kind, and what reads the missing of each. ``at_once`` bounds the reads of all kinds."""

    def __init__(self, kind: StreamKind, channels: Channels, at_once: asyncio.Semaphore) -> None:
        self.kind = kind
        self.feeds: dict[UUID, Feed] = {}
        self._channels = channels
        self._reads = CatchUp(kind, at_once)

    def channel_of(self, key: UUID) -> str:
        return f"{self.kind.channel}{key}"

    def give(self, key: UUID, items: Sequence[Item]) -> None:
        """What one commit stored in a stream, in order of seq, from this process or another."""
        feed = self.feeds.get(key)
        if feed is not None:
            feed.offer_run([each for each in items if feed.wants(each.seq)])

    def push(self, key: UUID, data: bytes, to_users: Collection[UUID] | None = None) -> None:
        """A finished frame that is not stored, to those of them who watch the stream now; None: to all who do."""
        feed = self.feeds.get(key)
        for watcher in feed.watchers if feed is not None else ():
            if to_users is None or watcher.user_id in to_users:
                watcher.offer(data)

    def forget(self, key: UUID) -> None:
        """Something of the past of a stream may be shown to fewer than before."""
        feed = self.feeds.get(key)
        if feed is not None:
            feed.forget()

    def feed(self, key: UUID, *, last_seq: int, on_item: ItemListener, on_doubt: DoubtListener | None = None) -> Feed:
        """The feed of a stream that stands at ``last_seq``; whoever asks joins it at once.

        ``on_item`` is called after each event that was given to the watchers; ``on_doubt(feed, watcher, position)``
        when one has left the feed after ``position``, to be looked up again before they are given more.
        """
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = Feed(
                key, last_seq, self.kind, self._reads.want, listener=on_item, on_doubt=on_doubt
            )
            self._channels.want(self.channel_of(key))
        return feed

    def release(self, feed: Feed) -> None:
        """Forget a feed of these that nobody watches."""
        if feed.empty and self.feeds.get(feed.key) is feed:
            del self.feeds[feed.key]
            self._channels.unwant(self.channel_of(feed.key))

    async def close(self) -> None:
        await self._reads.close()


class Hub:
    """The streams of all kinds. In a process without clients nobody watches any."""

    def __init__(self, *streams: Streams) -> None:
        self.streams = streams

    def leave(self, watcher: Watcher, feed: Feed) -> None:
        """They watch this stream no longer."""
        feed.leave(watcher)
        self.release(feed)

    def leave_all(self, watcher: Watcher) -> None:
        """They watch nothing any more."""
        for feed in list(watcher.feeds):
            self.leave(watcher, feed)
        watcher.feeds.clear()

    def release(self, feed: Feed) -> None:
        """Forget a feed that nobody watches."""
        for streams in self.streams:
            streams.release(feed)

    def release_soon(self, feed: Feed) -> None:
        """Once what runs now is done: the feed itself may be at work."""
        asyncio.get_running_loop().call_soon(self.release, feed)

    def find(self, channel: str) -> tuple[Streams, UUID] | None:
        """Which stream is told of on this Redis channel. Raises ``ValueError`` where its key is none."""
        for streams in self.streams:
            if channel.startswith(streams.kind.channel):
                return streams, UUID(channel.removeprefix(streams.kind.channel))
        return None

    async def close(self) -> None:
        """Stop reading what is missing."""
        for streams in self.streams:
            await streams.close()
