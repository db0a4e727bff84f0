"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from redis.asyncio import Redis

from chassis.paging import Cursors
from chassis.postgres import Connection, Database
from chassis.redis import connect as connect_redis
from chassis.tokens import Revocations, TokenVerifier
from eventing import KafkaConfig, Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock, SystemClock
from operations import kafka_config
from orchestrator.adapters.announcer import OutboxAnnouncer
from orchestrator.adapters.saga_store import PostgresSagaStore
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.errors import UnknownDefinitionError
from orchestrator.domain.state import SagaState
from orchestrator.sagas import REGISTRY, SagaRegistry
from orchestrator.settings import OrchestratorSettings

SERVICE = "orchestrator"


@dataclass(slots=True)
class OrchestratorTx:
    """One transaction."""

    conn: Connection
    outbox: Outbox
    sagas: PostgresSagaStore
    announcer: OutboxAnnouncer


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything a process of this service holds."""

    settings: OrchestratorSettings
    database: Database
    redis: Redis
    kafka: KafkaConfig
    outbox_config: OutboxConfig
    wakeups: Wakeups
    verifier: TokenVerifier
    revocations: Revocations
    cursors: Cursors
    registry: SagaRegistry = REGISTRY
    clock: Clock = field(default_factory=SystemClock)

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[OrchestratorTx]:
        """A transaction: commits at the end of the block; then the relay is woken and the metrics count."""
        async with self.database.begin(user_id=user_id) as conn:
            outbox = Outbox(conn, self.outbox_config, self.wakeups)
            tx = OrchestratorTx(conn, outbox, PostgresSagaStore(conn, self.registry), OutboxAnnouncer(outbox))
            yield tx
            await outbox.flush()
        outbox.committed()
        tx.announcer.counted()

    def definition(self, state: SagaState) -> SagaDefinition | None:
        """The saga's definition, None when this process is too old to know it."""
        try:
            return self.registry.pinned(state.saga_type, state.version)
        except UnknownDefinitionError:
            return None


@asynccontextmanager
async def wire(settings: OrchestratorSettings) -> AsyncIterator[App]:
    """Open the pools; close them at the end of the block."""
    database = await Database.connect(settings)
    redis = connect_redis(settings.redis_url.get_secret_value())
    revocations = Revocations(redis)
    verifier = TokenVerifier(settings.jwks_url, settings.jwt_issuer, settings.jwt_audience, revocations)
    wakeups = Wakeups(settings.database_dsn.get_secret_value(), settings.database_schema)
    try:
        yield App(
            settings=settings,
            database=database,
            redis=redis,
            kafka=kafka_config(
                settings,
                SERVICE,
                session_timeout_s=settings.consumer_session_s,
            ),
            outbox_config=OutboxConfig(schema=settings.database_schema, source=SERVICE),
            wakeups=wakeups,
            verifier=verifier,
            revocations=revocations,
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
        )
    finally:
        await wakeups.close()
        await redis.aclose()
        await database.close()
