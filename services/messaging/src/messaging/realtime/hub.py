"""Who watches what on this node. Everything here is synchronous: a change is whole before anything else runs.

Invariant: a feed exists while somebody watches it, and its Redis channel is wanted exactly as long.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Gauge

from messaging.core.domain.stream import AccountEvent, StreamEvent
from messaging.realtime.catch_up import CatchUp
from messaging.realtime.channels import Channels
from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.feed import Feed, Item, Watcher

events_given = Counter("messaging_realtime_events", "Stored events given to the watchers of this node")
deliveries = Counter("messaging_realtime_deliveries", "Stored events times the watchers they were given to")
dialogs_watched = Gauge("messaging_realtime_dialogs_watched", "Dialogs somebody on this node watches")
DIALOG_CHANNEL: Final = "messaging:dialog:"
ACCOUNT_CHANNEL: Final = "messaging:account:"
PRESENCE_CHANNEL: Final = "messaging:presence:"

ItemListener = Callable[[Feed, Item], None]


class Hub:
    """Feeds of dialogs and of accounts, and what reads the missing of each."""

    def __init__(
        self,
        channels: Channels,
        *,
        dialogs: CatchUp,
        accounts: CatchUp,
    ) -> None:
        self._channels = channels
        self._dialog_reads, self._account_reads = dialogs, accounts
        self.dialogs: dict[UUID, Feed] = {}
        self.accounts: dict[UUID, Feed] = {}

    def stream(self, dialog_id: UUID, events: Sequence[StreamEvent]) -> None:
        """What one commit stored in a dialog, in order of seq, from this process or another."""
        feed = self.dialogs.get(dialog_id)
        if feed is not None:
            feed.offer_run([item_of(each) for each in events if feed.wants(each.seq)])

    def account(self, event: AccountEvent) -> None:
        """A stored change of one person's account."""
        feed = self.accounts.get(event.user_id)
        if feed is not None and feed.wants(event.account_seq):
            feed.offer(account_item_of(event))

    def broadcast(self, dialog_id: UUID, data: bytes, to_users: Collection[UUID]) -> None:
        """Something that is not stored, to those of them who watch the dialog now."""
        feed = self.dialogs.get(dialog_id)
        if feed is None:
            return
        for watcher in feed.watchers:
            if watcher.user_id in to_users:
                watcher.offer(data)

    def push_to_user(self, user_id: UUID, data: bytes) -> None:
        """Something that is not stored, to one person's devices here."""
        feed = self.accounts.get(user_id)
        if feed is not None:
            for watcher in feed.watchers:
                watcher.offer(data)

    def dialog_feed(self, dialog_id: UUID, *, last_seq: int, member_count: int, on_item: ItemListener) -> Feed:
        """The feed of a dialog that stands at ``last_seq``; whoever asks joins it at once.

        ``on_item`` is called after each event that was given to the watchers.
        """
        feed = self.dialogs.get(dialog_id)
        if feed is None:
            feed = self.dialogs[dialog_id] = Feed(dialog_id, last_seq, self._dialog_reads.want, listener=on_item)
            self._channels.want(f"{DIALOG_CHANNEL}{dialog_id}")
            dialogs_watched.inc()
        feed.member_count = member_count
        return feed

    def account_feed(self, user_id: UUID, *, last_seq: int, on_item: ItemListener) -> Feed:
        """The feed of one person's account, as ``dialog_feed``."""
        feed = self.accounts.get(user_id)
        if feed is None:
            feed = self.accounts[user_id] = Feed(user_id, last_seq, self._account_reads.want, listener=on_item)
            self._channels.want(f"{ACCOUNT_CHANNEL}{user_id}")
        return feed

    def leave(self, watcher: Watcher, feed: Feed) -> None:
        """They watch this stream no longer."""
        feed.leave(watcher)
        self.release(feed)

    def release(self, feed: Feed) -> None:
        """Forget a feed that nobody watches."""
        if not feed.empty:
            return
        if self.dialogs.get(feed.key) is feed:
            del self.dialogs[feed.key]
            self._channels.unwant(f"{DIALOG_CHANNEL}{feed.key}")
            dialogs_watched.dec()
        elif self.accounts.get(feed.key) is feed:
            del self.accounts[feed.key]
            self._channels.unwant(f"{ACCOUNT_CHANNEL}{feed.key}")

    async def close(self) -> None:
        """Stop reading what is missing."""
        await self._dialog_reads.close()
        await self._account_reads.close()

    def feeds(self) -> Iterator[Feed]:
        yield from list(self.dialogs.values())
        yield from list(self.accounts.values())


def item_of(event: StreamEvent) -> Item:
    """Encoded once, for all watchers."""
    return Item(
        event.seq,
        text_frame(event.frame),
        event.type,
        event.subject_id,
        event.ended,
        event.message_seq or 0,
        event.hidden_from,
    )


def account_item_of(event: AccountEvent) -> Item:
    return Item(event.account_seq, text_frame(event.frame), event.type)
