"""What a service's ``App`` must have to be operated: the parts that chassis and eventing stand on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import UUID

from redis.asyncio import Redis

from chassis.paging import Cursors
from chassis.postgres import Database
from chassis.settings import ServiceSettings
from chassis.tokens import Revocations, TokenVerifier
from eventing import KafkaConfig, OutboxConfig, Subscriptions, Wakeups


class OperatedApp(Protocol):
    """A service's frozen ``App`` has these anyway."""

    @property
    def settings(self) -> ServiceSettings: ...

    @property
    def database(self) -> Database: ...

    @property
    def kafka(self) -> KafkaConfig: ...

    @property
    def outbox_config(self) -> OutboxConfig: ...

    @property
    def wakeups(self) -> Wakeups: ...

    @property
    def redis(self) -> Redis: ...

    @property
    def revocations(self) -> Revocations: ...

    @property
    def verifier(self) -> TokenVerifier: ...

    @property
    def cursors(self) -> Cursors: ...

    def begin(self, user_id: UUID | None = None) -> AbstractAsyncContextManager[Any]:
        """A transaction with ``conn`` and ``outbox``, committed at the end of the block."""


Handlers = Subscriptions[Any] | Callable[[Any], Subscriptions[Any]]


def handlers_of(handlers: Handlers, app: OperatedApp) -> Subscriptions[Any]:
    """The table itself, or what makes it from the app."""
    return handlers if isinstance(handlers, Subscriptions) else handlers(app)


def schema_of(app: OperatedApp) -> str:
    return app.outbox_config.schema


def service_of(app: OperatedApp) -> str:
    return app.outbox_config.source
