"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from notification.domain.delivery import Delivery, Ended, Outcome, Result
from notification.domain.ids import DeliveryId, NotificationId, UserId
from notification.domain.notification import Channel, Notification
from notification.domain.recipient import Recipient


class RecipientStore(Protocol):
    async def put(self, recipient: Recipient, *, version: int) -> None:
        """Nothing changes where a newer version is known, or the account has ended."""

    async def end(self, user_id: UserId, *, at: datetime) -> Recipient:
        """Erase what is known of the person, for good: also if nothing was known yet. Returns what was known."""


class NotificationStore(Protocol):
    async def add(self, notifications: Sequence[Notification]) -> set[NotificationId]:
        """Returns which were added: not what a person was told already, nor what is for an account that has ended."""

    async def mark_read(self, user_id: UserId, ids: Sequence[NotificationId], *, at: datetime) -> int: ...
    async def mark_all_read(self, user_id: UserId, *, up_to: datetime, at: datetime) -> int: ...
    async def erase_of(self, user_id: UserId) -> None: ...


class DeliveryStore(Protocol):
    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """A repeat of the same id adds nothing."""

    async def finish(self, results: Sequence[Result], *, at: datetime) -> set[DeliveryId]:
        """Returns which were recorded: not what ended meanwhile, nor another try of what was leased anew."""

    async def end_of(self, recipient: Recipient, *, at: datetime) -> None:
        """End what waits for a person whose account ended, and codes asked for until then at their addresses."""


class Events(Protocol):
    """Facts that others may read."""

    def notification_created(self, notification: Notification) -> None: ...
    def notification_delivered(self, delivery: Delivery, ended: Ended, *, at: datetime) -> None: ...


class Tx(Protocol):
    """One transaction: what is written in it commits together, or not at all."""

    @property
    def now(self) -> datetime: ...
    @property
    def recipients(self) -> RecipientStore: ...
    @property
    def notifications(self) -> NotificationStore: ...
    @property
    def deliveries(self) -> DeliveryStore: ...
    @property
    def events(self) -> Events: ...


class ChannelGateway(Protocol):
    """One outside channel. Sending the same delivery twice must be harmless where the channel can make it so."""

    channel: Channel

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome: ...
