"""The only place where objects are built: settings in, a frozen ``App`` out, everything closed at the end."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from redis.asyncio import Redis

from chassis import redis as chassis_redis
from chassis.hints import Hints
from chassis.paging import Cursors
from chassis.postgres import Database
from chassis.tokens import Revocations, TokenVerifier
from eventing import KafkaConfig, Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock, SystemClock
from operations import kafka_config
from payment.adapters.flusher import Flusher, Flushers
from payment.adapters.ledger import Ledger
from payment.adapters.sandbox_provider import SandboxProvider
from payment.adapters.transaction import PgPaymentTx
from payment.domain.accounts import SLOTS
from payment.settings import PaymentSettings
from payment.usecases.ports import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything the entrypoints reach for."""

    settings: PaymentSettings
    clock: Clock
    database: Database
    redis: Redis
    hints: Hints
    kafka: KafkaConfig
    outbox_config: OutboxConfig
    wakeups: Wakeups
    verifier: TokenVerifier
    revocations: Revocations
    cursors: Cursors
    ledger: Ledger
    flushers: Flushers
    providers: Mapping[str, Provider]

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[PgPaymentTx]:
        """A transaction: commits at the end of the block, then wakes the relay."""
        async with self.database.begin(user_id=user_id) as conn:
            outbox = Outbox(conn, self.outbox_config, self.wakeups)
            yield PgPaymentTx(conn, outbox, self.clock, self.ledger)
            await outbox.flush()
        outbox.committed()


@asynccontextmanager
async def wire(settings: PaymentSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on."""
    clock = clock or SystemClock()
    database = await Database.connect(settings)
    redis = chassis_redis.connect(settings.redis_url)
    hints = Hints(redis, prefix="payment:hints")
    sandbox = SandboxProvider(
        url=settings.sandbox_url,
        api_key=settings.sandbox_api_key.get_secret_value(),
        webhook_secret=settings.sandbox_webhook_secret.get_secret_value(),
        timeout_s=settings.provider_timeout_s,
    )
    wakeups = Wakeups(settings.database_dsn.get_secret_value(), settings.database_schema)
    try:
        yield _assemble(
            settings,
            clock,
            database=database,
            redis=redis,
            hints=hints,
            wakeups=wakeups,
            providers={sandbox.name: sandbox},
        )
    finally:
        await sandbox.close()
        await wakeups.close()
        await hints.close()
        await redis.aclose()
        await database.close()


def _assemble(
    settings: PaymentSettings,
    clock: Clock,
    *,
    database: Database,
    redis: Redis,
    hints: Hints,
    wakeups: Wakeups,
    providers: Mapping[str, Provider],
) -> App:
    revocations = Revocations(redis)
    outbox_config = OutboxConfig(schema=settings.database_schema, source="payment")
    # Any slot is right; processes that meet in one only wait for each other.
    ledger = Ledger(slot=secrets.randbelow(SLOTS))
    return App(
        settings=settings,
        clock=clock,
        database=database,
        redis=redis,
        hints=hints,
        kafka=kafka_config(settings, "payment"),
        outbox_config=outbox_config,
        wakeups=wakeups,
        verifier=TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience, revocations),
        revocations=revocations,
        cursors=Cursors(settings.cursor_secret.get_secret_value()),
        ledger=ledger,
        flushers=Flushers(
            [
                Flusher(
                    name=f"ledger-{number}",
                    connect=database.read,
                    ledger=ledger,
                    outbox_config=outbox_config,
                    wakeups=wakeups,
                    clock=clock,
                    batch_max=settings.ledger_batch_max,
                )
                for number in range(settings.ledger_flushers)
            ]
        ),
        providers=providers,
    )
