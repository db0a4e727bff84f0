"""Stores, events and a gateway in memory: what use cases are tested on without Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from notification.domain.delivery import Delivery, Ended, Outcome, Result, Sent
from notification.domain.ids import DeliveryId, NotificationId, UserId
from notification.domain.notification import Channel, Notification
from notification.domain.recipient import Recipient, unknown_recipient
from notification.usecases.ports import ChannelGateway, Tx

TAKEN: Final = Sent("taken")


@dataclass
class FakeRecipients:
    known: dict[UserId, Recipient] = field(default_factory=dict)

    async def put(self, recipient: Recipient, *, version: int) -> None:
        self.known[recipient.user_id] = recipient

    async def end(self, user_id: UserId, *, at: datetime) -> Recipient:
        return self.known.pop(user_id, unknown_recipient(user_id))


@dataclass
class FakeNotifications:
    stored: dict[NotificationId, Notification] = field(default_factory=dict)

    async def add(self, notifications: Sequence[Notification]) -> set[NotificationId]:
        new = {each.notification_id: each for each in notifications if each.notification_id not in self.stored}
        self.stored |= new
        return set(new)

    async def mark_read(self, user_id: UserId, ids: Sequence[NotificationId], *, at: datetime) -> int:
        return self._mark(user_id, [self.stored[each] for each in ids if each in self.stored], at)

    async def mark_all_read(self, user_id: UserId, *, up_to: datetime, at: datetime) -> int:
        return self._mark(user_id, [each for each in self.stored.values() if each.created_at <= up_to], at)

    async def erase_of(self, user_id: UserId) -> None:
        self.stored = {key: each for key, each in self.stored.items() if each.user_id != user_id}

    def _mark(self, user_id: UserId, found: Sequence[Notification], at: datetime) -> int:
        unread = [each for each in found if each.user_id == user_id and each.read_at is None]
        self.stored.update({each.notification_id: replace(each, read_at=at) for each in unread})
        return len(unread)


@dataclass
class FakeDeliveries:
    waiting: dict[DeliveryId, Delivery] = field(default_factory=dict)
    ended_of: list[tuple[Recipient, datetime]] = field(default_factory=list)

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.waiting.setdefault(delivery.delivery_id, delivery)

    async def finish(self, results: Sequence[Result], *, at: datetime) -> set[DeliveryId]:
        return {delivery.delivery_id for delivery, _ in results} & self.waiting.keys()

    async def end_of(self, recipient: Recipient, *, at: datetime) -> None:
        self.ended_of.append((recipient, at))


@dataclass
class FakeEvents:
    created: list[Notification] = field(default_factory=list)
    delivered: list[tuple[DeliveryId, Ended, datetime]] = field(default_factory=list)

    def notification_created(self, notification: Notification) -> None:
        self.created.append(notification)

    def notification_delivered(self, delivery: Delivery, ended: Ended, *, at: datetime) -> None:
        self.delivered.append((delivery.delivery_id, ended, at))


@dataclass
class FakeTx:
    now: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    recipients: FakeRecipients = field(default_factory=FakeRecipients)
    notifications: FakeNotifications = field(default_factory=FakeNotifications)
    deliveries: FakeDeliveries = field(default_factory=FakeDeliveries)
    events: FakeEvents = field(default_factory=FakeEvents)


@dataclass
class FakeGateway:
    """Answers every delivery with ``outcome``, or raises it."""

    outcome: Outcome | BaseException = TAKEN
    channel: Channel = Channel.EMAIL
    sent: list[Delivery] = field(default_factory=list)

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        self.sent.append(delivery)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


if TYPE_CHECKING:  # they are what the ports say
    _TX: Tx = FakeTx()
    _GATEWAY: ChannelGateway = FakeGateway()
