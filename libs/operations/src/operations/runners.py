"""What runs in each role, and what readiness asks.

Postgres is asked directly. Kafka speaks through the relay and the consumer: they say what hinders them, and a process
that serves requests is only degraded by it. That no new connection to Redis or Kafka can be had degrades a process and
never makes it unready: every use of Redis has an answer without it, and Kafka's users go on with what they have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from redis.exceptions import RedisError

from chassis.fresh import FreshConnections
from chassis.housekeeping import forget_keys
from chassis.redis import check_fresh as check_redis
from chassis.run import Runner
from chassis.run.health import DegradedError
from chassis.run.service import Check
from eventing import Consumer, Relay
from eventing.clients import check_fresh as check_kafka
from eventing.housekeeping import Housekeeping
from operations.app import Handlers, OperatedApp, handlers_of, schema_of

_FRESH_EVERY_S: Final = 15.0


def relays(app: OperatedApp, **tuning: Any) -> list[Runner]:
    """The outbox to Kafka. ``tuning`` as ``eventing.Relay`` takes it."""
    return [Relay(dsn=_dsn(app), config=app.outbox_config, kafka=app.kafka, wakeups=app.wakeups, **tuning)]


def consumers(app: OperatedApp, handlers: Handlers, **tuning: Any) -> list[Runner]:
    """Kafka to the handlers. ``tuning`` as ``eventing.Consumer`` takes it."""
    table = handlers_of(handlers, app)
    return [Consumer(table, begin=app.begin, config=app.outbox_config, kafka=app.kafka, **tuning)]


def housekeeping(
    app: OperatedApp, *, inbox_kept: timedelta = timedelta(days=21), idempotency_keys: bool = True
) -> list[Runner]:
    """Jobs that keep the tables of eventing, and of ``idempotency_keys`` where the service has them, small.

    ``inbox_kept`` must exceed the retention of every topic the service consumes.
    """
    tables: list[Runner] = [Housekeeping(dsn=_dsn(app), schema=schema_of(app), inbox_days=inbox_kept.days)]
    return [forget_keys(app.database), *tables] if idempotency_keys else tables


def background(app: OperatedApp) -> Sequence[Runner]:
    """In every role: the sessions that were revoked."""
    return [app.revocations]


def checks(app: OperatedApp) -> Mapping[str, Check]:
    """What must answer for a process to be ready, beside its runners."""
    redis = FreshConnections(partial(check_redis, app.redis), every_s=_FRESH_EVERY_S)
    kafka = FreshConnections(partial(check_kafka, app.kafka), every_s=_FRESH_EVERY_S)
    return {
        "postgres": app.database.check,
        "redis": partial(_degrading, redis.check),
        "kafka": partial(_degrading, kafka.check),
    }


async def _degrading(check: Check) -> None:
    try:
        await check()
    except (RedisError, OSError) as error:
        raise DegradedError from error


def _dsn(app: OperatedApp) -> str:
    return app.settings.database_dsn.get_secret_value()
