"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from chassis.doorbell import Doorbell
from eventing import Outbox
from notification.adapters.delivery_store import PgDeliveryStore, PgNotificationStore, PgRecipientStore
from notification.adapters.email_gateway import EmailGateway
from notification.adapters.sms_gateway import SmsGateway
from notification.adapters.template_gateway import Templates
from notification.adapters.watched_gateway import WatchedGateway
from notification.domain.delivery import Delivery
from notification.domain.notification import Channel
from notification.settings import NotificationSettings
from operations import Parts, open_parts

SERVICE = "notification"


class CountingDeliveryStore(PgDeliveryStore):
    """Remembers whether the transaction queued anything, so that a sender is woken for it."""

    queued = False

    async def add(self, delivery: Delivery) -> bool:
        added = await super().add(delivery)
        self.queued = self.queued or added
        return added


@dataclass(slots=True)
class PgNotificationTx:
    """One transaction of the notification service."""

    conn: asyncpg.Connection
    outbox: Outbox
    recipients: PgRecipientStore
    notifications: PgNotificationStore
    deliveries: CountingDeliveryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a running role needs."""

    settings: NotificationSettings
    templates: Templates
    gateways: Mapping[Channel, WatchedGateway]
    doorbell: Doorbell

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[PgNotificationTx]:
        """Commits at the end of the block, events and effects together."""
        async with self.transaction(user_id) as (conn, outbox):
            deliveries = CountingDeliveryStore(conn)
            yield PgNotificationTx(conn, outbox, PgRecipientStore(conn), PgNotificationStore(conn), deliveries)
        if deliveries.queued:
            self.doorbell.ring()


@asynccontextmanager
async def wire(settings: NotificationSettings) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    templates = Templates()
    email = EmailGateway(
        host=settings.smtp_host, port=settings.smtp_port, sender=settings.email_sender, templates=templates
    )
    sms = SmsGateway(
        base_url=settings.sms_base_url, api_key=settings.sms_api_key.get_secret_value(), templates=templates
    )
    async with open_parts(settings, SERVICE) as opened:
        try:
            yield App(
                **opened.parts(),
                settings=settings,
                templates=templates,
                gateways={each.channel: WatchedGateway(each) for each in (email, sms)},
                doorbell=Doorbell(),
            )
        finally:
            await email.close()
            await sms.close()
