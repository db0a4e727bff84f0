"""aiokafka's clients, seen from outside: whether one has died inside, and how it is ended whatever state it is in.

A client works by tasks of its own. One that dies takes nothing else down: what waits for it waits for ever, and polls
go on finding nothing. So its owner looks at the tasks between two steps, bounds each call, and makes a new client.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any, Final, cast

import aiokafka.conn
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError

from eventing.kafka import KafkaConfig
from kernel.tasks import within

log = structlog.get_logger(__name__)

# The way from a client to its tasks. Tests cancel each in turn, so that one that is renamed is noticed.
CONSUMER_TASKS: Final = ("_client._sync_task", "_fetcher._fetch_task", "_coordinator._coordination_task")
PRODUCER_TASKS: Final = ("client._sync_task", "_sender._sender_task")
_FRESH_S: Final = 5.0
_TOPICS_S: Final = 3.0
_BESIDES: Final = ("_coordinator._heartbeat_task", "_coordinator._commit_refresh_task")  # these come and go


class DeadClientError(Exception):
    """The client must be rebuilt."""


class MissingTopicError(Exception):
    """A subscribed topic does not exist, or may not be read."""


_Connection: Any = aiokafka.conn.AIOKafkaConnection


class Connection(_Connection):  # type: ignore[misc]
    """uvloop refuses a write to a socket that was reset with a RuntimeError. aiokafka's tasks expect an OSError or a
    KafkaError there, and die of anything else.
    """

    async def connect(self) -> Any:
        with self._lost_as_kafka_error():
            return await super().connect()

    def send(self, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 -- its signature
        with self._lost_as_kafka_error():
            return super().send(request, expect_response=expect_response)

    def _send_sasl_token(self, payload: bytes, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 -- as above
        with self._lost_as_kafka_error():
            return super()._send_sasl_token(payload, expect_response=expect_response)

    @contextmanager
    def _lost_as_kafka_error(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"connection to {self.host}:{self.port} was reset: {error}") from error


setattr(aiokafka.conn, "AIOKafkaConnection", Connection)  # noqa: B010 -- what ``create_conn`` makes; no client takes a class for it


async def check_fresh(config: KafkaConfig) -> None:
    """Raises ``OSError`` when no new connection can be had: those of clients outlive a changed password."""
    client = AIOKafkaClient(**config.connection(), request_timeout_ms=int(_FRESH_S * 1000))
    try:
        await within(_FRESH_S, client.bootstrap())
    except KafkaError as error:
        raise ConnectionError(repr(error)) from error
    finally:
        with contextlib.suppress(TimeoutError, KafkaError, OSError):
            await within(_FRESH_S, client.close())


def dead_task(client: AIOKafkaConsumer | AIOKafkaProducer) -> str | None:
    """The name of a task of a started client that has ended, and why; None while all work."""
    for path in CONSUMER_TASKS if isinstance(client, AIOKafkaConsumer) else PRODUCER_TASKS:
        task = _find(client, path)
        if task is not None and task.done():
            why = "cancelled" if task.cancelled() else repr(task.exception())
            return f"{path}: {why}"
    return None


async def close_consumer(consumer: AIOKafkaConsumer, timeout_s: float) -> None:
    """Leave the group. A client that cannot is ended all the same: its heartbeats would hold the partitions."""
    try:
        await within(timeout_s, consumer.stop())
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("consumer_close_failed", error=repr(error))
    finally:
        kill(consumer)


def kill(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """End its tasks and close its connections, without a word to the broker. Nothing, when it has stopped."""
    for path in (*CONSUMER_TASKS, *PRODUCER_TASKS, *_BESIDES):
        task = _find(client, path)
        if task is not None and not task.done():
            task.cancel()
    inner = getattr(client, "_client", None) or getattr(client, "client", None)
    for connection in list(getattr(inner, "_conns", {}).values()):
        connection.close()


def _find(owner: Any, path: str) -> asyncio.Task[Any] | None:
    found = owner
    for name in path.split("."):
        found = getattr(found, name, None)
    return cast("asyncio.Task[Any]", found) if isinstance(found, asyncio.Future) else None


async def ask_brokers(client: AIOKafkaClient) -> ClusterMetadata:
    """Every topic that may be seen, as a broker says now: what a client knows may be nothing. Raises ``KafkaError``."""
    try:
        return await within(_TOPICS_S, client.fetch_all_metadata())
    except (KafkaError, OSError) as error:  # TimeoutError among them
        raise KafkaConnectionError("no broker answers") from error


async def why_not_started(kafka: AIOKafkaConsumer, wanted: AbstractSet[str]) -> Exception:
    """What kept a consumer from starting in time: it waits for its topics without naming them."""
    try:
        cluster = await ask_brokers(kafka._client)  # noqa: SLF001 -- no call of the consumer asks for topics
    except KafkaError as error:
        return error
    if missing := sorted(wanted - cluster.topics()):
        return MissingTopicError(f"no such topic, or no right to read it: {', '.join(missing)}")
    return DeadClientError("the consumer does not start, though its topics are there")
