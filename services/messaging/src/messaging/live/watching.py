"""Brings a connection to the streams it may watch, from where the client stands.

Invariant: a position is believed only within what the tables say. One from the future, or older than what is kept, is
answered with ``too_old``: fetch anew; the stream goes on from now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import orjson
import structlog
from prometheus_client import Counter, Gauge

from kernel.backoff import BackoffPolicy
from messaging.core.domain.stream import Watch
from messaging.live.adapters.stream_reads import account_too_old, dialog_too_old
from messaging.live.adapters.watch_reads import CROWD, WatchReads
from messaging.realtime.domain.websocket import payload_of
from messaging.realtime.socket.feed import Feed, Watcher
from messaging.realtime.socket.frames import server_frame
from messaging.realtime.socket.hub import Hub, Streams
from messaging.realtime.socket.people import People
from messaging.realtime.socket.spawning import Spawner
from messaging.realtime.socket.streams import Item

LOOKUPS_AT_ONCE: Final = 4
_AGAIN: Final = BackoffPolicy(first_s=0.1, cap_s=2.0)
log: Final = structlog.get_logger(__name__)
events_given = Counter("messaging_realtime_events", "Stored events given to the watchers of this node")
deliveries = Counter("messaging_realtime_deliveries", "Stored events times the watchers they were given to")
dialogs_watched = Gauge("messaging_realtime_dialogs_watched", "Dialogs somebody on this node watches")


@dataclass(frozen=True, slots=True, eq=False)
class _Suspended:
    """One that was given a stream up to ``after_seq``, and goes on after ``position`` once looked up again."""

    after_seq: int
    position: int


class Watching:
    """Its methods never wait: what one does to a connection is whole before anything else is delivered.

    A channel may have thousands of watchers to be looked up again: a few at a time, and a failure is in the log once.
    """

    def __init__(
        self, hub: Hub, dialogs: Streams, accounts: Streams, *, people: People, reads: WatchReads, spawner: Spawner
    ) -> None:
        self._hub, self._dialogs, self._accounts = hub, dialogs, accounts
        self._people, self._reads, self._spawner = people, reads, spawner
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._is_failing = False
        self._suspended: dict[tuple[Watcher, UUID], _Suspended] = {}
        dialogs_watched.set_function(lambda: len(dialogs.feeds))

    def watch(self, follower: Watcher, watches: Iterable[Watch], positions: Mapping[UUID, int]) -> None:
        """All of these, each from its position or from now on."""
        for each in watches:
            self._watch_one(follower, each, positions.get(each.dialog_id))

    def watch_account(self, follower: Watcher, *, position: int | None, as_of: int) -> None:
        """Their own account's stream."""
        feed = self._accounts.feed(follower.user_id, last_seq=as_of, on_item=self._account_item)
        follower.feeds.add(feed)
        if position is not None and position > as_of:
            follower.write(account_too_old(follower.user_id, as_of, as_of))
            position = None
        feed.join(follower, as_of if position is None else position, as_of)

    def follows(self, follower: Watcher, dialog_id: UUID) -> bool:
        """Whether they watch the dialog, or will once they were looked up again."""
        return (follower, dialog_id) in self._suspended or any(feed.key == dialog_id for feed in follower.feeds)

    def account_of(self, follower: Watcher) -> Feed | None:
        """Their own account's feed, where they watch it."""
        feed = self._accounts.feeds.get(follower.user_id)
        return feed if feed in follower.feeds else None

    def unwatch(self, follower: Watcher, dialog_ids: Iterable[UUID]) -> None:
        for dialog_id in dialog_ids:
            self._suspended.pop((follower, dialog_id), None)
            feed = self._dialogs.feeds.get(dialog_id)
            if feed is not None and feed in follower.feeds:
                follower.feeds.discard(feed)
                self._hub.leave(follower, feed)
                follower.caught_up(feed)

    def tell_gone(self, follower: Watcher, dialog_ids: Collection[UUID]) -> None:
        """They named these, and can read them no longer."""
        for dialog_id in dialog_ids:
            follower.write(server_frame("gone", dialog_id=dialog_id))

    def _watch_one(self, follower: Watcher, watch: Watch, position: int | None) -> None:
        as_of = watch.last_seq
        suspended = self._suspended.pop((follower, watch.dialog_id), None)
        if suspended is not None:
            position = suspended.position if position is None else position
            if as_of < suspended.after_seq:  # looked up before what it was for
                self._suspended[follower, watch.dialog_id] = replace(suspended, position=position)
                return
        if position is None:
            position = as_of
        elif position > as_of or position + 1 < watch.oldest_seq:
            follower.write(dialog_too_old(watch.dialog_id, watch.from_seq, as_of))
            position = as_of
        feed = self._dialogs.feed(
            watch.dialog_id, last_seq=as_of, on_item=self._dialog_item, on_doubt=self._dialog_doubted
        )
        feed.audience = watch.member_count
        follower.feeds.add(feed)
        feed.join(follower, max(position, watch.from_seq - 1), as_of, watch.from_seq)

    def _dialog_item(self, feed: Feed, _: Item) -> None:
        events_given.inc()
        deliveries.inc(len(feed.watchers))

    def _dialog_doubted(self, feed: Feed, follower: Watcher, position: int) -> None:
        """Who may see the dialog, or what of it, may be another now: they go on once it is known that they may."""
        self._suspended[follower, feed.key] = _Suspended(position, position)
        follower.feeds.discard(feed)
        follower.caught_up(feed)
        self._hub.release_soon(feed)
        self._spawner.spawn(self._watch_again(follower, feed.key, position))

    def _account_item(self, feed: Feed, item: Item) -> None:
        if item.type == "dialog.added":
            dialog_id = UUID(orjson.loads(payload_of(item.data))["dialog_id"])
            self._spawner.spawn(self._watch_added(feed.key, dialog_id))

    async def _watch_added(self, user_id: UUID, dialog_id: UUID) -> None:
        """Somebody came into a dialog: all their connections here watch it from now on."""
        for watch in await self._look_up(user_id, dialog_id, lambda: any(self._people.connections_of(user_id))):
            if watch.kind == "channel" and watch.member_count > CROWD:
                continue
            for connection in self._people.connections_of(user_id):
                if all(feed.key != dialog_id for feed in connection.feeds):
                    self.watch(connection, [watch], {})

    async def _watch_again(self, follower: Watcher, dialog_id: UUID, after_seq: int) -> None:
        """Unless they have asked for the dialog themselves meanwhile, or for no more of it."""
        place = follower, dialog_id

        def is_wanted() -> bool:
            suspended = self._suspended.get(place)
            return follower.is_open and suspended is not None and suspended.after_seq == after_seq

        found = await self._look_up(follower.user_id, dialog_id, is_wanted)
        if found and is_wanted():
            self.watch(follower, found, {})  # which may suspend them anew, for a later event
        elif is_wanted() or not follower.is_open:
            self._suspended.pop(place, None)

    async def _look_up(self, user_id: UUID, dialog_id: UUID, is_wanted: Callable[[], bool]) -> Sequence[Watch]:
        """The dialog, where the person may watch it. Asks until there is an answer, or nobody wants it any more."""
        failures = 0
        while is_wanted():
            try:
                async with self._lookups:
                    found = await self._reads.watches(user_id, [dialog_id]) if is_wanted() else []
            except Exception as error:  # noqa: BLE001 -- the database may be away
                failures += 1
                if not self._is_failing:
                    log.warning("realtime.not_looked_up", error=type(error).__name__)
                self._is_failing = True
                await asyncio.sleep(_AGAIN.wait_s(failures))
            else:
                self._is_failing = False
                return found
        return []
