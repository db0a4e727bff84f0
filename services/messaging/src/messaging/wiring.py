"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from redis.asyncio import Redis

from chassis.hints import Hints
from chassis.paging import Cursors
from chassis.postgres import Database
from chassis.redis import connect
from chassis.tokens import Revocations, TokenVerifier
from eventing import KafkaConfig, Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock, SystemClock
from messaging.adapters.person_keys import PersonKeys, decoded_key
from messaging.adapters.transaction import MessagingTx
from messaging.announcing import Announcer, SilentAnnouncer
from messaging.domain.ids import MAIN_WORKSPACE
from messaging.sending.sender import Sender
from messaging.settings import MessagingSettings
from operations import kafka_config

SERVICE: Final = "messaging"
SESSION: Final = {"sampan.workspace_id": str(MAIN_WORKSPACE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What begins transactions: the part of the App that the parts built on it need."""

    settings: MessagingSettings
    database: Database
    outbox_config: OutboxConfig
    wakeups: Wakeups
    keys: PersonKeys
    clock: Clock
    announcer: Announcer

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[MessagingTx]:
        """Commits at the end of the block, events and effects together; then everybody is told."""
        async with self.database.begin(user_id=user_id) as conn:
            outbox = Outbox(conn, self.outbox_config, self.wakeups)
            tx = MessagingTx.on(conn, outbox, self.keys, self.clock.now())
            yield tx
            await tx.flush()
        outbox.committed()
        self.announcer.committed(tx.stream.events, tx.accounts.events, tx.cursors)


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Core):
    """Everything a running role needs."""

    redis: Redis
    hints: Hints
    revocations: Revocations
    verifier: TokenVerifier
    kafka: KafkaConfig
    cursors: Cursors
    sender: Sender


@asynccontextmanager
async def wire(settings: MessagingSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    database = await Database.connect(settings, session=SESSION)
    redis = connect(settings.redis_url)
    revocations = Revocations(redis)
    hints = Hints(redis, prefix="messaging:hints")
    wakeups = Wakeups(settings.database_dsn.get_secret_value(), settings.database_schema)
    core = Core(
        settings=settings,
        database=database,
        outbox_config=OutboxConfig(schema=settings.database_schema, source=SERVICE),
        wakeups=wakeups,
        keys=PersonKeys(decoded_key(settings.key_encryption_key.get_secret_value())),
        clock=clock or SystemClock(),
        announcer=SilentAnnouncer(),
    )
    try:
        yield App(
            settings=settings,
            database=database,
            outbox_config=core.outbox_config,
            wakeups=wakeups,
            keys=core.keys,
            clock=core.clock,
            announcer=core.announcer,
            redis=redis,
            hints=hints,
            revocations=revocations,
            verifier=TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience, revocations),
            kafka=kafka_config(settings, SERVICE),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            sender=Sender(core.begin, lanes=settings.send_lanes, batch_max=settings.send_batch_max),
        )
    finally:
        await wakeups.close()
        await hints.close()
        await redis.aclose()
        await database.close()
