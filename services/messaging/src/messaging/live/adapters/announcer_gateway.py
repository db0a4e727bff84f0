"""Tells the watchers of streams, here and on other nodes, what a transaction did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import orjson
import structlog

from chassis.postgres import Database
from chassis.run.runners import Runner
from messaging.core.domain.cursor import Cursor
from messaging.core.domain.stream import AccountEvent, PresenceVisibilityChanged, StreamEvent
from messaging.live.adapters.receipt_job import Receipts
from messaging.live.adapters.stream_reads import account_item_of, item_of
from messaging.live.domain.visibility import CHANNEL, pack_visibility
from messaging.realtime.socket.broadcasting import Broadcaster
from messaging.realtime.socket.hints import EphemeralFrame
from messaging.realtime.socket.hub import Streams
from messaging.realtime.socket.streams import Item

log: Final = structlog.get_logger(__name__)


class LiveAnnouncer:
    """Of every role: a process without clients tells the others. Both streams: of this process' own watchers."""

    def __init__(self, database: Database, broadcaster: Broadcaster, dialogs: Streams, accounts: Streams) -> None:
        self._broadcaster = broadcaster
        self._dialogs, self._accounts = dialogs, accounts
        self._receipts = Receipts(database, tell_dialog=self.push_to_dialog, tell_person=self.push_to_user)

    @property
    def runners(self) -> Sequence[Runner]:
        """Of every role."""
        return [self._broadcaster.publisher, self._receipts]

    def committed(
        self,
        stream_events: Sequence[StreamEvent],
        account_events: Sequence[AccountEvent],
        cursors: Sequence[Cursor] = (),
        visibilities: Sequence[PresenceVisibilityChanged] = (),
    ) -> None:
        """Everything one transaction did. Never waits, and never raises: it is committed, whatever happens here.

        ``cursors`` become receipts: they are not stored as events. ``visibilities``: whoever looks is told anew.
        """
        try:
            self._give(self._dialogs, [(each.dialog_id, item_of(each)) for each in stream_events])
            self._give(self._accounts, [(each.user_id, account_item_of(each)) for each in account_events])
            for event in account_events:
                if event.type == "message.hidden":
                    self._broadcaster.forget(self._dialogs, UUID(orjson.loads(event.frame)["dialog_id"]))
            if cursors:
                self._receipts.add(cursors)
            for change in visibilities:
                told = pack_visibility(change.viewer_id)
                self._broadcaster.publisher.publish(f"{CHANNEL}{change.user_id}", told)
        except Exception:
            log.exception("realtime.unannounced")

    def push_to_dialog(self, dialog_id: UUID, ephemeral: EphemeralFrame) -> None:
        """Something that is not stored, to those it is for who watch the dialog."""
        self._broadcaster.push(self._dialogs, dialog_id, ephemeral)

    def push_to_user(self, user_id: UUID, payload: bytes) -> None:
        """Something that is not stored, to all devices of one person."""
        self._broadcaster.push(self._accounts, user_id, EphemeralFrame(payload))

    def _give(self, streams: Streams, items: Sequence[tuple[UUID, Item]]) -> None:
        by_key: defaultdict[UUID, list[Item]] = defaultdict(list)
        for key, item in items:
            by_key[key].append(item)
        for key, of_key in by_key.items():
            self._broadcaster.give(streams, key, of_key)
