"""Brings a connection to the streams it may watch, from where the client stands.

Invariant: a position is believed only within what the tables say. One from the future, or older than what is kept, is
answered with ``too_old``: fetch anew; the stream goes on from now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol
from uuid import UUID

import orjson

from messaging.core.domain.stream import Watch
from messaging.realtime.connection import Connection
from messaging.realtime.domain.websocket import payload_of
from messaging.realtime.feed import Feed, Item, Watcher
from messaging.realtime.frames import server_frame
from messaging.realtime.hub import Hub, deliveries, events_given
from messaging.realtime.people import People
from messaging.realtime.reads import CROWD, Reads
from messaging.realtime.spawning import Spawn

_DECIDE_WHO_SEES: Final = (b'"is_public"', b'"history_from"')


class Follower(Watcher, Protocol):
    """Who watches, and what: a socket, or a long poll while it lasts."""

    feeds: set[Feed]
    account: Feed | None


class Watching:
    """Its methods never wait: what one does to a connection is whole before anything else is delivered."""

    def __init__(self, hub: Hub, people: People, reads: Reads, spawn: Spawn) -> None:
        self._hub, self._people, self._reads, self._spawn = hub, people, reads, spawn

    def watch(self, connection: Follower, watches: Iterable[Watch], positions: Mapping[UUID, int]) -> None:
        """All of these, each from its position or from now on."""
        for each in watches:
            self._watch_one(connection, each, positions.get(each.dialog_id))

    def watch_account(self, connection: Follower, *, position: int | None, as_of: int) -> None:
        """Their own account's stream."""
        feed = self._hub.account_feed(connection.user_id, last_seq=as_of, on_item=self._account_item)
        connection.account = feed
        if position is not None and position > as_of:
            connection.write(server_frame("too_old", oldest_account_seq=as_of, account_seq=as_of))
            position = None
        feed.join(connection, as_of if position is None else position, as_of)

    def unwatch(self, connection: Follower, dialog_ids: Iterable[UUID]) -> None:
        for dialog_id in dialog_ids:
            feed = self._hub.dialogs.get(dialog_id)
            if feed is not None and feed in connection.feeds:
                connection.feeds.discard(feed)
                self._hub.leave(connection, feed)
                connection.caught_up(feed)

    def resumed(self, connection: Connection, ref: str | None, gone: Collection[UUID]) -> None:
        """Remember to say so when everything this connection waits for is live; it may be so already."""
        waiting = {feed for feed in connection.feeds if feed.joining(connection)}
        if connection.account is not None and connection.account.joining(connection):
            waiting.add(connection.account)
        for dialog_id in gone:
            connection.write(server_frame("gone", dialog_id=dialog_id))
        connection.resuming, connection.resuming_ref = waiting, ref
        connection.tell_resumed()

    def leave_all(self, connection: Follower) -> None:
        """The connection closes."""
        for feed in connection.feeds:
            self._hub.leave(connection, feed)
        connection.feeds.clear()
        if connection.account is not None:
            self._hub.leave(connection, connection.account)
            connection.account = None

    def _watch_one(self, connection: Follower, watch: Watch, position: int | None) -> None:
        as_of = watch.last_seq
        if position is None:
            position = as_of
        elif position > as_of or position + 1 < watch.oldest_seq:
            told = {"dialog_id": watch.dialog_id, "oldest_seq": watch.from_seq, "last_seq": as_of}
            connection.write(server_frame("too_old", **told))
            position = as_of
        feed = self._hub.dialog_feed(
            watch.dialog_id, last_seq=as_of, member_count=watch.member_count, on_item=self._dialog_item
        )
        connection.feeds.add(feed)
        feed.join(connection, max(position, watch.from_seq - 1), as_of, watch.from_seq)

    def _dialog_item(self, feed: Feed, item: Item) -> None:
        events_given.inc()
        deliveries.inc(len(feed.watchers))
        if item.type == "dialog.changed" and any(name in item.data for name in _DECIDE_WHO_SEES):
            self._spawn(self._look_again_who_sees(feed))

    def _account_item(self, feed: Feed, item: Item) -> None:
        if item.type == "dialog.added":
            dialog_id = UUID(orjson.loads(payload_of(item.data))["dialog_id"])
            self._spawn(self._watch_added(feed.key, dialog_id))

    async def _watch_added(self, user_id: UUID, dialog_id: UUID) -> None:
        """Somebody came into a dialog: all their connections here watch it from now on."""
        for watch in await self._reads.watches(user_id, [dialog_id]):
            if watch.kind == "channel" and watch.member_count > CROWD:
                continue
            for connection in self._people.connections_of(user_id):
                if all(feed.key != dialog_id for feed in connection.feeds):
                    self.watch(connection, [watch], {})

    async def _look_again_who_sees(self, feed: Feed) -> None:
        """Who is no member watches a channel no longer that is not open; who came late sees earlier messages, or not.

        A long poll ends with this very event, and looks for itself when it comes again.
        """
        for user_id in {each.user_id for each in feed.watchers}:
            found = await self._reads.watches(user_id, [feed.key])
            for connection in self._people.connections_of(user_id):
                if found:
                    feed.show_from(connection, found[0].from_seq)
                else:
                    self.unwatch(connection, [feed.key])
