"""One node: its sockets, its hub, and the runners that keep both true.

Invariant: a connection is given events only while it is authenticated and not closing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis

from chassis.postgres import Database
from chassis.run.runners import Runner
from kernel.clock import Clock
from kernel.tasks import stop_tasks
from messaging.realtime.acks import Acks, Begin
from messaging.realtime.announcing import RealtimeAnnouncer
from messaging.realtime.catch_up import READS_AT_ONCE, CatchUp
from messaging.realtime.codes import Close
from messaging.realtime.connection import Connection
from messaging.realtime.feed import Feed, Item
from messaging.realtime.frames import server_frame
from messaging.realtime.handlers import Handlers
from messaging.realtime.hint_codec import unpack
from messaging.realtime.hub import ACCOUNT_CHANNEL, DIALOG_CHANNEL, PRESENCE_CHANNEL, Channels, Hub
from messaging.realtime.listener import Listener
from messaging.realtime.people import People
from messaging.realtime.poller import Poller
from messaging.realtime.ports import Limits, Post, RevokedSessions, Verifier
from messaging.realtime.presence import Presence
from messaging.realtime.reads import Reads
from messaging.realtime.sweeping import Sweeper
from messaging.realtime.tickets import Tickets
from messaging.realtime.watching import Watching
from messaging.realtime.websocket import payload_of, text_frame
from sealing import PersonKeys

BACK_WITHIN_S: Final = 8.0
_SENDS_WAIT_S: Final = 5.0
_CLOSES_WAIT_S: Final = 1.0
_DECIDE_WHO_SEES: Final = (b'"is_public"', b'"history_from"')
log = structlog.get_logger(__name__)


class Node:
    """What ``entrypoints/realtime.py`` mounts in the http role. It is the gate of its connections."""

    def __init__(
        self,
        *,
        limits: Limits,
        redis: Redis,
        database: Database,
        keys: PersonKeys,
        clock: Clock,
        verifier: Verifier,
        revocations: RevokedSessions,
        tickets: Tickets,
        announcer: RealtimeAnnouncer,
        begin: Begin,
        post: Post,
    ) -> None:
        self.limits = limits
        self.name = announcer.node
        self._announcer = announcer
        self._tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self._empty = asyncio.Event()
        self.polls: set[asyncio.Event] = set()
        self.people = People(per_person_max=limits.realtime_connections_per_user)
        reads = Reads(database, keys)
        at_once = asyncio.Semaphore(READS_AT_ONCE)
        self._dialog_reads = CatchUp(reads.dialog_items, oldest_key="oldest_seq", at_once=at_once)
        self._account_reads = CatchUp(reads.account_items, oldest_key="oldest_account_seq", at_once=at_once)
        self._listener = Listener(redis, self._heard, self._hears_again)
        channels: Channels = self._listener
        self.hub = Hub(channels, want_dialog=self._dialog_reads.want, want_account=self._account_reads.want)
        self.hub.on_dialog_item, self.hub.on_account_item = self._dialog_item, self._account_item
        self.watching = Watching(self.hub)
        self.reads = reads
        self._poller = Poller(
            self.hub,
            dialogs=reads.dialog_positions,
            accounts=reads.account_positions,
            hears=lambda: self._listener.connected,
        )
        self._presence = Presence(redis, reads, clock, self.name, channels=channels, publish=announcer.publish)
        self._acks = Acks(begin)
        self._handlers = Handlers(
            limits=limits,
            node=self.name,
            clock=clock,
            people=self.people,
            hub=self.hub,
            watching=self.watching,
            presence=self._presence,
            reads=reads,
            acks=self._acks,
            tickets=tickets,
            verifier=verifier,
            revocations=revocations,
            announcer=announcer,
            post=post,
            spawn=self.spawn,
        )
        self._sweeper = Sweeper(self.people, limits, revocations)
        announcer.hub = self.hub

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

    def roomy(self, connection: Connection) -> None:
        for feed in [*connection.feeds, *([connection.account] if connection.account else ())]:
            if feed.joining(connection):
                feed.retry()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for a connection beside what comes in."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Take nothing new, finish what was sent, and send everybody elsewhere, not all at the same moment."""
        self.draining = True
        if not self.people.sockets:
            self._empty.set()
        for answered in self.polls:
            answered.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_SENDS_WAIT_S)
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
        self._announcer.hub = None
        await self._dialog_reads.close()
        await self._account_reads.close()
        await stop_tasks(*self._tasks)

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
        if heard.whisper is not None and heard.node != self.name:
            self.hub.whisper(dialog_id, text_frame(heard.whisper.frame), heard.whisper.to_users)

    def _heard_of_account(self, user_id: UUID, message: bytes) -> None:
        heard = unpack(user_id, message)
        for event in heard.account_events:
            self.hub.account(event)
        if heard.whisper is not None and heard.node != self.name:
            self.hub.whisper_to(user_id, text_frame(heard.whisper.frame))

    def _hears_again(self) -> None:
        self._poller.soon()

    def _account_item(self, feed: Feed, item: Item) -> None:
        if item.type == "dialog.added":
            dialog_id = UUID(orjson.loads(payload_of(item.data))["dialog_id"])
            self.spawn(self._handlers.added(feed.key, dialog_id))

    def _dialog_item(self, feed: Feed, item: Item) -> None:
        if item.type == "dialog.changed" and any(name in item.data for name in _DECIDE_WHO_SEES):
            self.spawn(self._look_again_who_sees(feed))

    async def _look_again_who_sees(self, feed: Feed) -> None:
        """Who is no member watches a channel no longer that is not open; who came late sees earlier messages, or not.

        A long poll ends with this very event, and looks for itself when it comes again.
        """
        for user_id in {each.user_id for each in feed.watchers}:
            found = await self.reads.watches(user_id, [feed.key])
            for connection in self.people.connections_of(user_id):
                if found:
                    feed.show_from(connection, found[0].from_seq)
                else:
                    self.watching.unwatch(connection, [feed.key])
