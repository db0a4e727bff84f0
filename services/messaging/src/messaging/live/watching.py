"""Brings a connection to the streams it may watch, from where the client stands.

Invariant: a position is believed only within what the tables say. One from the future, or older than what is kept, is
answered with ``too_old``: fetch anew; the stream goes on from now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

import orjson
from prometheus_client import Counter, Gauge

from messaging.core.domain.stream import Watch
from messaging.live.adapters.stream_reads import account_too_old, dialog_too_old
from messaging.live.adapters.watch_reads import CROWD, WatchReads
from messaging.realtime.domain.websocket import payload_of
from messaging.realtime.socket.feed import Feed, Follower
from messaging.realtime.socket.frames import server_frame
from messaging.realtime.socket.hub import Hub, Streams
from messaging.realtime.socket.people import People
from messaging.realtime.socket.spawning import Spawner
from messaging.realtime.socket.streams import Item

_DECIDE_WHO_SEES: Final = (b'"is_public"', b'"history_from"')
events_given = Counter("messaging_realtime_events", "Stored events given to the watchers of this node")
deliveries = Counter("messaging_realtime_deliveries", "Stored events times the watchers they were given to")
dialogs_watched = Gauge("messaging_realtime_dialogs_watched", "Dialogs somebody on this node watches")


class Watching:
    """Its methods never wait: what one does to a connection is whole before anything else is delivered."""

    def __init__(
        self, hub: Hub, dialogs: Streams, accounts: Streams, *, people: People, reads: WatchReads, spawner: Spawner
    ) -> None:
        self._hub, self._dialogs, self._accounts = hub, dialogs, accounts
        self._people, self._reads, self._spawner = people, reads, spawner
        dialogs_watched.set_function(lambda: len(dialogs.feeds))

    def watch(self, follower: Follower, watches: Iterable[Watch], positions: Mapping[UUID, int]) -> None:
        """All of these, each from its position or from now on."""
        for each in watches:
            self._watch_one(follower, each, positions.get(each.dialog_id))

    def watch_account(self, follower: Follower, *, position: int | None, as_of: int) -> None:
        """Their own account's stream."""
        feed = self._accounts.feed(follower.user_id, last_seq=as_of, on_item=self._account_item)
        follower.feeds.add(feed)
        if position is not None and position > as_of:
            follower.write(account_too_old(follower.user_id, as_of, as_of))
            position = None
        feed.join(follower, as_of if position is None else position, as_of)

    def account_of(self, follower: Follower) -> Feed | None:
        """Their own account's feed, where they watch it."""
        feed = self._accounts.feeds.get(follower.user_id)
        return feed if feed in follower.feeds else None

    def unwatch(self, follower: Follower, dialog_ids: Iterable[UUID]) -> None:
        for dialog_id in dialog_ids:
            feed = self._dialogs.feeds.get(dialog_id)
            if feed is not None and feed in follower.feeds:
                follower.feeds.discard(feed)
                self._hub.leave(follower, feed)
                follower.caught_up(feed)

    def tell_gone(self, follower: Follower, dialog_ids: Collection[UUID]) -> None:
        """They named these, and can read them no longer."""
        for dialog_id in dialog_ids:
            follower.write(server_frame("gone", dialog_id=dialog_id))

    def _watch_one(self, follower: Follower, watch: Watch, position: int | None) -> None:
        as_of = watch.last_seq
        if position is None:
            position = as_of
        elif position > as_of or position + 1 < watch.oldest_seq:
            follower.write(dialog_too_old(watch.dialog_id, watch.from_seq, as_of))
            position = as_of
        feed = self._dialogs.feed(watch.dialog_id, last_seq=as_of, on_item=self._dialog_item)
        feed.audience = watch.member_count
        follower.feeds.add(feed)
        feed.join(follower, max(position, watch.from_seq - 1), as_of, watch.from_seq)

    def _dialog_item(self, feed: Feed, item: Item) -> None:
        events_given.inc()
        deliveries.inc(len(feed.watchers))
        if item.type == "dialog.changed" and any(name in item.data for name in _DECIDE_WHO_SEES):
            self._spawner.spawn(self._look_again_who_sees(feed))

    def _account_item(self, feed: Feed, item: Item) -> None:
        if item.type == "dialog.added":
            dialog_id = UUID(orjson.loads(payload_of(item.data))["dialog_id"])
            self._spawner.spawn(self._watch_added(feed.key, dialog_id))

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
