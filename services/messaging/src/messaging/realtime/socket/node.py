"""One node: its sockets, its hub, and the runners that keep both true.

Invariant: a connection is given events only while it is authenticated and not closing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis

from chassis.run.runners import Runner
from kernel.clock import Clock
from messaging.realtime.domain.codes import Close
from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.connection import Connection
from messaging.realtime.socket.feed import Feed
from messaging.realtime.socket.frames import server_frame
from messaging.realtime.socket.handlers import Handlers
from messaging.realtime.socket.hints import unpack
from messaging.realtime.socket.hub import Hub
from messaging.realtime.socket.listener import Listener
from messaging.realtime.socket.people import People
from messaging.realtime.socket.poller import Poller
from messaging.realtime.socket.ports import Limits, Provider, RevokedSessions, Tickets, Verifier
from messaging.realtime.socket.spawning import Spawner
from messaging.realtime.socket.sweeping import Sweeper

BACK_WITHIN_S: Final = 8.0
_WORK_WAIT_S: Final = 5.0
_CLOSES_WAIT_S: Final = 1.0


class Node:
    """What the http role mounts. It is the gate of its connections. ``name`` as in the process' broadcaster."""

    def __init__(
        self,
        *,
        name: str,
        limits: Limits,
        redis: Redis,
        clock: Clock,
        channels: Channels,
        hub: Hub,
        people: People,
        spawner: Spawner,
        provider: Provider,
        verifier: Verifier,
        revocations: RevokedSessions,
        tickets: Tickets,
    ) -> None:
        self.name = name
        self.limits = limits
        self.hub, self.people = hub, people
        self.clock, self.revocations = clock, revocations
        self.draining = False
        self.polls: set[asyncio.Event] = set()
        self._spawner, self._provider = spawner, provider
        self._empty = asyncio.Event()
        self._poller = Poller(hub, channels)
        self._listener = Listener(redis, channels, on_message=self._heard, on_connected=self._poller.soon)
        self._handlers = Handlers(
            limits=limits,
            node=name,
            clock=clock,
            people=people,
            provider=provider,
            tickets=tickets,
            verifier=verifier,
            revocations=revocations,
            spawner=spawner,
        )
        self._sweeper = Sweeper(people, limits, revocations, clock)

    @property
    def runners(self) -> Sequence[Runner]:
        """Run these while the node takes connections."""
        return [self._listener, self._poller, *self._provider.runners, self._sweeper]

    def frame(self, connection: Connection, raw: bytes) -> None:
        self._handlers.frame(connection, raw)

    def spend(self, connection: Connection) -> bool:
        return self._handlers.spend(connection)

    def opened(self, connection: Connection) -> None:
        """A socket whose handshake is done."""
        self.people.sockets.add(connection)

    def detach(self, connection: Connection) -> None:
        self.hub.leave_all(connection)
        self._provider.detached(connection)
        if connection.authenticated and self.people.remove(connection):
            self._provider.departed(connection.user_id)

    def gone(self, connection: Connection) -> None:
        self.people.sockets.discard(connection)
        if self.draining and not self.people.sockets:
            self._empty.set()

    def left(self, feed: Feed) -> None:
        self.hub.release_soon(feed)

    def writable(self, connection: Connection) -> None:
        for feed in list(connection.feeds):
            if feed.joining(connection):
                feed.retry()

    async def drain(self) -> None:
        """Take nothing new, finish what was asked, and send everybody elsewhere, not all at the same moment."""
        self.draining = True
        if not self.people.sockets:
            self._empty.set()
        for answered in self.polls:
            answered.set()
        await self._spawner.finish(_WORK_WAIT_S)
        for connection in list(self.people.sockets):
            retry_after_s = round(random.uniform(0, BACK_WITHIN_S), 2)  # noqa: S311 -- spread, not secrecy
            connection.write(server_frame("bye", code=int(Close.GOING_AWAY), retry_after_s=retry_after_s))
            connection.close(Close.GOING_AWAY)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), _CLOSES_WAIT_S)
        for connection in list(self.people.sockets):
            connection.overdue()

    async def close(self) -> None:
        """After the runners have ended."""
        await self.hub.close()
        await self._spawner.close()

    def _heard(self, channel: str, message: bytes) -> None:
        with suppress(ValueError):
            found = self.hub.find(channel)
            if found is None:
                self._provider.heard(channel, message)
                return
            streams, key = found
            hint = unpack(message)
            streams.give(key, hint.items)
            if hint.forget:
                streams.forget(key)
            if hint.ephemeral is not None and hint.node != self.name:
                streams.push(key, text_frame(hint.ephemeral.payload), hint.ephemeral.to_users)
