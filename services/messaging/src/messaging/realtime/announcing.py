"""Tells this process's watchers at once, and the other nodes' over Redis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis

from chassis.postgres import Database
from chassis.run.runners import Runner
from messaging.core.domain.cursor import Cursor
from messaging.core.domain.stream import AccountEvent, PresenceVisibilityChanged, StreamEvent
from messaging.realtime.domain.websocket import text_frame
from messaging.realtime.hint_codec import (
    EphemeralFrame,
    pack_account_events,
    pack_ephemeral,
    pack_events,
    pack_visibility,
)
from messaging.realtime.hub import ACCOUNT_CHANNEL, DIALOG_CHANNEL, PRESENCE_CHANNEL, Hub
from messaging.realtime.publisher import Publisher
from messaging.realtime.receipts import Receipts

log: Final = structlog.get_logger(__name__)


class RealtimeAnnouncer:
    """``node`` names the process to the others. ``hub``: its own watchers; in a process without clients it has none."""

    def __init__(self, redis: Redis, database: Database, hub: Hub, node: str) -> None:
        self.node = node
        self._hub = hub
        self._publisher = Publisher(redis)
        self._receipts = Receipts(database, tell_dialog=self.broadcast, tell_person=self.push_to_user)

    @property
    def runners(self) -> Sequence[Runner]:
        """Of every role."""
        return [self._publisher, self._receipts]

    def committed(
        self,
        stream_events: Sequence[StreamEvent],
        account_events: Sequence[AccountEvent],
        cursors: Sequence[Cursor] = (),
        visibilities: Sequence[PresenceVisibilityChanged] = (),
    ) -> None:
        """Everything one transaction did. Never raises: it is committed, whatever happens here."""
        try:
            if stream_events:
                self._tell_dialogs(stream_events)
            if account_events:
                self._tell_accounts(account_events)
            if cursors:
                self._receipts.add(cursors)
            for change in visibilities:
                self._publisher.publish(f"{PRESENCE_CHANNEL}{change.user_id}", pack_visibility(change.viewer_id))
        except Exception:
            log.exception("realtime.unannounced")

    def broadcast(self, dialog_id: UUID, ephemeral: EphemeralFrame) -> None:
        """Something that is not stored, to those it is for who watch the dialog."""
        self._hub.broadcast(dialog_id, text_frame(ephemeral.frame), ephemeral.to_users)
        self._publisher.publish(f"{DIALOG_CHANNEL}{dialog_id}", pack_ephemeral(self.node, ephemeral))

    def push_to_user(self, user_id: UUID, frame: bytes) -> None:
        """Something that is not stored, to all devices of one person."""
        self._hub.push_to_user(user_id, text_frame(frame))
        self._publisher.publish(f"{ACCOUNT_CHANNEL}{user_id}", pack_ephemeral(self.node, EphemeralFrame(frame)))

    def publish(self, channel: str, message: bytes) -> None:
        """A hint of another kind."""
        self._publisher.publish(channel, message)

    def _tell_dialogs(self, events: Sequence[StreamEvent]) -> None:
        by_dialog: defaultdict[UUID, list[StreamEvent]] = defaultdict(list)
        for event in events:
            by_dialog[event.dialog_id].append(event)
        for dialog_id, of_dialog in by_dialog.items():
            self._hub.stream(dialog_id, of_dialog)
            self._publisher.publish(f"{DIALOG_CHANNEL}{dialog_id}", pack_events(self.node, of_dialog))

    def _tell_accounts(self, events: Sequence[AccountEvent]) -> None:
        by_person: defaultdict[UUID, list[AccountEvent]] = defaultdict(list)
        for event in events:
            by_person[event.user_id].append(event)
            self._hub.account(event)
        for user_id, of_person in by_person.items():
            self._publisher.publish(f"{ACCOUNT_CHANNEL}{user_id}", pack_account_events(self.node, of_person))
