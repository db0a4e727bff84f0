"""Gives this process's watchers what was committed at once, and tells the other nodes over Redis."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from redis.asyncio import Redis

from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.socket.hints import EphemeralFrame, pack_ephemeral, pack_forget, pack_items
from messaging.realtime.socket.hub import Streams
from messaging.realtime.socket.publisher import Publisher
from messaging.realtime.socket.streams import Item


class Broadcaster:
    """One a process, of every role. ``node`` names the process to the others. No method waits."""

    def __init__(self, redis: Redis, node: str) -> None:
        self.node = node
        self.publisher = Publisher(redis)

    def give(self, streams: Streams, key: UUID, items: Sequence[Item]) -> None:
        """What one commit stored in a stream, in order of seq."""
        streams.give(key, items)
        self.publisher.publish(streams.channel_of(key), pack_items(self.node, items))

    def forget(self, streams: Streams, key: UUID) -> None:
        """Something of the past of a stream may be shown to fewer than before."""
        streams.forget(key)
        self.publisher.publish(streams.channel_of(key), pack_forget(self.node))

    def push(self, streams: Streams, key: UUID, ephemeral: EphemeralFrame) -> None:
        """A frame that is not stored, to those it is for who watch the stream anywhere."""
        streams.push(key, text_frame(ephemeral.payload), ephemeral.to_users)
        self.publisher.publish(streams.channel_of(key), pack_ephemeral(self.node, ephemeral))
