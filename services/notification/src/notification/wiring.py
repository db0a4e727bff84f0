"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from chassis.paging import Cursors
from chassis.postgres import Database
from chassis.redis import connect
from chassis.tokens import Revocations, TokenVerifier
from eventing import KafkaConfig, Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock, SystemClock
from notification.adapters.email_gateway import EmailGateway
from notification.adapters.sms_gateway import SmsGateway
from notification.adapters.stores import PgDeliveryStore, PgNotificationStore, PgRecipientStore
from notification.adapters.templates import Templates
from notification.domain.delivery import Delivery
from notification.domain.notification import Channel
from notification.doorbell import Doorbell
from notification.settings import NotificationSettings
from notification.usecases.ports import ChannelGateway
from operations import kafka_config

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
class App:
    """Everything a running role needs."""

    settings: NotificationSettings
    database: Database
    redis: Redis
    revocations: Revocations
    verifier: TokenVerifier
    outbox_config: OutboxConfig
    wakeups: Wakeups
    kafka: KafkaConfig
    cursors: Cursors
    templates: Templates
    gateways: Mapping[Channel, ChannelGateway]
    doorbell: Doorbell
    clock: Clock

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[PgNotificationTx]:
        """Commits at the end of the block, events and effects together."""
        async with self.database.begin(user_id=user_id) as conn:
            outbox = Outbox(conn, self.outbox_config, self.wakeups)
            deliveries = CountingDeliveryStore(conn)
            yield PgNotificationTx(conn, outbox, PgRecipientStore(conn), PgNotificationStore(conn), deliveries)
            await outbox.flush()
        outbox.committed()
        if deliveries.queued:
            self.doorbell.ring()


@asynccontextmanager
async def wire(settings: NotificationSettings) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    database = await Database.connect(settings)
    redis = connect(settings.redis_url)
    templates = Templates()
    email = EmailGateway(
        host=settings.smtp_host, port=settings.smtp_port, sender=settings.email_sender, templates=templates
    )
    sms = SmsGateway(
        base_url=settings.sms_base_url, api_key=settings.sms_api_key.get_secret_value(), templates=templates
    )
    revocations = Revocations(redis)
    wakeups = Wakeups(settings.database_dsn.get_secret_value(), settings.database_schema)
    try:
        yield App(
            settings=settings,
            database=database,
            redis=redis,
            revocations=revocations,
            verifier=TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience, revocations),
            outbox_config=OutboxConfig(schema=settings.database_schema, source=SERVICE),
            wakeups=wakeups,
            kafka=kafka_config(settings, SERVICE),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            templates=templates,
            gateways={Channel.EMAIL: email, Channel.SMS: sms},
            doorbell=Doorbell(),
            clock=SystemClock(),
        )
    finally:
        await wakeups.close()
        await email.close()
        await sms.close()
        await redis.aclose()
        await database.close()
