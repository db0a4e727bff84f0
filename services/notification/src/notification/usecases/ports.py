"""What the use cases need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from google.protobuf.message import Message

from notification.domain.delivery import Delivery, Ended, Outcome, TryAgain
from notification.domain.notification import Channel, Notification
from notification.domain.recipient import Recipient

Result = tuple[Delivery, Ended | TryAgain]


class Outbox(Protocol):
    def add(self, body: Message, *, aggregate_version: int | None = None, event_id: UUID | None = None) -> UUID: ...


class RecipientStore(Protocol):
    async def put(self, recipient: Recipient, *, version: int) -> None: ...
    async def get_many(self, user_ids: Sequence[UUID]) -> dict[UUID, Recipient]: ...
    async def end(self, user_id: UUID, *, at: datetime) -> Recipient:
        """Erase what is known of the person, for good: also if nothing was known yet. Returns what was known."""


class NotificationStore(Protocol):
    async def add(self, notification: Notification) -> bool:
        """False when the person was told of this already, or their account has ended."""

    async def mark_read(self, user_id: UUID, ids: Sequence[UUID], *, at: datetime) -> int: ...
    async def mark_all_read(self, user_id: UUID, *, up_to: datetime, at: datetime) -> int: ...
    async def erase_of(self, user_id: UUID) -> None: ...


class DeliveryStore(Protocol):
    async def add(self, delivery: Delivery) -> bool: ...
    async def lease(self, *, channel: Channel, urgent: bool, limit: int, now: datetime) -> list[Delivery]:
        """Those that are due, each with this attempt counted. A row that cannot be read ends as failed."""

    async def renew(self, deliveries: Sequence[Delivery], *, now: datetime) -> None:
        """Lease on what is under way: not what ended meanwhile, nor what was leased anew by another."""

    async def finish(self, results: Sequence[Result], *, at: datetime) -> set[UUID]:
        """Returns which were recorded: not what ended meanwhile, nor another try of what was leased anew."""

    async def end_of(self, recipient: Recipient, *, at: datetime) -> None:
        """End what waits for a person whose account ended, and codes asked for until then at their addresses."""


class NotificationTx(Protocol):
    """One transaction: what is written in it commits together, or not at all."""

    @property
    def outbox(self) -> Outbox: ...
    @property
    def recipients(self) -> RecipientStore: ...
    @property
    def notifications(self) -> NotificationStore: ...
    @property
    def deliveries(self) -> DeliveryStore: ...


class Begin(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[NotificationTx]: ...


class ChannelGateway(Protocol):
    """One outside channel. Sending the same delivery twice must be harmless where the channel can make it so."""

    channel: Channel

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome: ...
