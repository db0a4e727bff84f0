"""One node: its sockets, its hub, and the runners that keep both true.

Invariant: a connection is given events only while it is authenticated and not closing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis

from chassis.run.runners import Runner
from kernel.clock import Clock
from messaging.realtime.acks import Acks, Begin
from messaging.realtime.announcing import RealtimeAnnouncer
from messaging.realtime.channels import Channels
from messaging.realtime.connection import Connection
from messaging.realtime.domain.codes import Close
from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.feed import Feed
from messaging.realtime.frames import server_frame
from messaging.realtime.handlers import Handlers
from messaging.realtime.hint_codec import unpack
from messaging.realtime.hub import ACCOUNT_CHANNEL, DIALOG_CHANNEL, PRESENCE_CHANNEL, Hub
from messaging.realtime.listener import Listener
from messaging.realtime.people import People
from messaging.realtime.poller import Poller
from messaging.realtime.ports import Limits, Post, RevokedSessions, Verifier
from messaging.realtime.presence import Presence
from messaging.realtime.reads import Reads
from messaging.realtime.spawning import Spawner
from messaging.realtime.sweeping import Sweeper
from messaging.realtime.tickets import Tickets
from messaging.realtime.watching import Watching

BACK_WITHIN_S: Final = 8.0
_SENDS_WAIT_S: Final = 5.0
_CLOSES_WAIT_S: Final = 1.0
log = structlog.get_logger(__name__)


class Node:
    """What ``entrypoints/realtime.py`` mounts in the http role. It is the gate of its connections."""

    def __init__(
        self,
        *,
        limits: Limits,
        redis: Redis,
        clock: Clock,
        channels: Channels,
        hub: Hub,
        reads: Reads,
        verifier: Verifier,
        revocations: RevokedSessions,
        tickets: Tickets,
        announcer: RealtimeAnnouncer,
        begin: Begin,
        post: Post,
    ) -> None:
        self.limits = limits
        self.name = announcer.node
        self.hub, self.reads = hub, reads
        self._spawner = Spawner()
        self.draining = False
        self._empty = asyncio.Event()
        self.polls: set[asyncio.Event] = set()
        self.people = People(per_person_max=limits.realtime_connections_per_user)
        self.watching = Watching(hub, self.people, reads, self._spawner.spawn)
        self._poller = Poller(hub, dialogs=reads.dialog_positions, accounts=reads.account_positions, channels=channels)
        self._listener = Listener(redis, channels, on_message=self._heard, on_connected=self._poller.soon)
        self._presence = Presence(redis, reads, clock, self.name, channels=channels, publish=announcer.publish)
        self._acks = Acks(begin)
        self._handlers = Handlers(
            limits=limits,
            node=self.name,
            clock=clock,
            people=self.people,
            hub=hub,
            watching=self.watching,
            presence=self._presence,
            reads=reads,
            acks=self._acks,
            tickets=tickets,
            verifier=verifier,
            revocations=revocations,
            announcer=announcer,
            post=post,
            spawn=self._spawner.spawn,
        )
        self._sweeper = Sweeper(self.people, limits, revocations)

    @property
    def runners(self) -> Sequence[Runner]:
        """Run these while the node takes connections."""
        return [self._listener, self._poller, self._presence, self._acks, self._sweeper]

    def frame(self, connection: Connection, raw: bytes) -> None:
        self._handlers.frame(connection, raw)

    def spend(self, connection: Connection) -> bool:
        return self._handlers.spend(connection)

    def opened(self, connection: Connection) -> None:
        """A socket whose handshake is done."""
        self.people.sockets.add(connection)

    def detach(self, connection: Connection) -> None:
        self.watching.leave_all(connection)
        if connection.looks_at:
            self._presence.look_away(connection, connection.looks_at)
            connection.looks_at = frozenset()
        if connection.authenticated and self.people.remove(connection):
            self._presence.left(connection.user_id)

    def gone(self, connection: Connection) -> None:
        self.people.sockets.discard(connection)
        if self.draining and not self.people.sockets:
            self._empty.set()

    def left(self, feed: Feed) -> None:
        asyncio.get_running_loop().call_soon(self.hub.release, feed)

    def writable(self, connection: Connection) -> None:
        for feed in [*connection.feeds, *([connection.account] if connection.account else ())]:
            if feed.joining(connection):
                feed.retry()

    async def drain(self) -> None:
        """Take nothing new, finish what was sent, and send everybody elsewhere, not all at the same moment."""
        self.draining = True
        if not self.people.sockets:
            self._empty.set()
        for answered in self.polls:
            answered.set()
        await self._spawner.finish(_SENDS_WAIT_S)
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
            if channel.startswith(PRESENCE_CHANNEL):
                self._presence.heard(UUID(channel.removeprefix(PRESENCE_CHANNEL)), message)
            elif channel.startswith(DIALOG_CHANNEL):
                self._heard_of_dialog(UUID(channel.removeprefix(DIALOG_CHANNEL)), message)
            elif channel.startswith(ACCOUNT_CHANNEL):
                self._heard_of_account(UUID(channel.removeprefix(ACCOUNT_CHANNEL)), message)

    def _heard_of_dialog(self, dialog_id: UUID, message: bytes) -> None:
        heard = unpack(dialog_id, message)
        self.hub.stream(dialog_id, heard.events)
        if heard.ephemeral is not None and heard.node != self.name:
            self.hub.broadcast(dialog_id, text_frame(heard.ephemeral.frame), heard.ephemeral.to_users)

    def _heard_of_account(self, user_id: UUID, message: bytes) -> None:
        heard = unpack(user_id, message)
        for event in heard.account_events:
            self.hub.account(event)
        if heard.ephemeral is not None and heard.node != self.name:
            self.hub.push_to_user(user_id, text_frame(heard.ephemeral.frame))
