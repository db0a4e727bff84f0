"""What every service with an outbox stands on, opened once and closed in reverse.

Invariant: what is open when the block begins is closed when it ends, whatever happened in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from chassis.hints import Hints
from chassis.paging import Cursors
from chassis.postgres import Connection, Database
from chassis.redis import connect
from chassis.settings import ServiceSettings
from chassis.tokens import Revocations, TokenVerifier
from chassis.tokens.keys import FetchJwks
from chassis.writes import Write, write_together
from eventing import KafkaConfig, Outbox, OutboxConfig, Wakeups
from kernel.clock import Clock, SystemClock
from operations.connections import kafka_config


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A service's ``App`` extends this with its settings and what else is its own."""

    database: Database
    redis: Redis
    hints: Hints
    revocations: Revocations
    verifier: TokenVerifier
    outbox_config: OutboxConfig
    wakeups: Wakeups
    kafka: KafkaConfig
    cursors: Cursors
    clock: Clock

    def parts(self) -> dict[str, Any]:
        """These parts by name, for the ``App`` that extends them."""
        return {part.name: getattr(self, part.name) for part in fields(Parts)}

    @asynccontextmanager
    async def transaction(self, user_id: UUID | None = None) -> AsyncIterator[tuple[Connection, Outbox]]:
        """Commits at the end of the block, outbox and effects together; then the relay is woken."""
        async with self.database.begin(user_id=user_id) as conn:
            outbox = Outbox(conn, self.outbox_config, self.wakeups, partial(_write_together, conn))
            yield conn, outbox
            await outbox.flush()
        outbox.committed()


async def _write_together(conn: Connection, sql: str, *values: Any) -> None:
    await write_together(conn, [Write(sql, values)])


@asynccontextmanager
async def open_parts(
    settings: ServiceSettings,
    service: str,
    *,
    clock: Clock | None = None,
    fetch_keys: FetchJwks | None = None,
    session: Mapping[str, str] | None = None,
    kafka_session_timeout_s: float = 8.0,
) -> AsyncIterator[Parts]:
    """Waits for Postgres as ``Database.connect`` does; Redis and Kafka are reached on first use.

    ``fetch_keys`` in place of a request to ``settings.jwks_url``; ``session`` as ``Database.connect`` takes it.
    """
    async with AsyncExitStack() as stack:
        database = await Database.connect(settings, session=session)
        stack.push_async_callback(database.close)
        redis = connect(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        hints = Hints(redis, prefix=f"{service}:hints")
        stack.push_async_callback(hints.close)
        wakeups = Wakeups(settings.database_dsn.get_secret_value(), settings.database_schema)
        stack.push_async_callback(wakeups.close)
        revocations = Revocations(redis)
        yield Parts(
            database=database,
            redis=redis,
            hints=hints,
            revocations=revocations,
            verifier=TokenVerifier(
                settings.jwks_url, settings.jwt_issuer, settings.jwt_audience, revocations, fetch=fetch_keys
            ),
            outbox_config=OutboxConfig(schema=settings.database_schema, source=service),
            wakeups=wakeups,
            kafka=kafka_config(settings, service, session_timeout_s=kafka_session_timeout_s),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            clock=clock or SystemClock(),
        )
