"""The outbox of one transaction: records are buffered and written in one INSERT right before the commit.

The use case locks or compare-and-sets its aggregate row before the statement that flushes, so that per key the order of
outbox ids is the order of commits. That is what the relay's order rests on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message as Body

from eventing.database import Connection
from eventing.envelope import Headers, pack_headers
from eventing.faults import faultpoint
from eventing.lanes import lane_of
from eventing.record_option import PARTICIPANT, travel_of
from eventing.tracing import current_traceparent
from eventing.wakeups import Wakeups
from kernel.correlation import causation_id, correlation_id
from kernel.errors import DomainError, Kind
from kernel.ids import uuid7

# What a writer fills in, with its type; ``id`` is the table's own.
INSERT_COLUMNS: Final = {
    "lane": "smallint",
    "event_id": "uuid",
    "topic": "text",
    "key": "text",
    "type": "text",
    "body": "bytea",
    "occurred_at": "timestamptz",
    "aggregate_version": "bigint",
    "correlation_id": "text",
    "causation_id": "text",
    "traceparent": "text",
    "headers": "text",
    "logged": "boolean",
}


Execute = Callable[..., Awaitable[Any]]


class RecordTooLargeError(DomainError):
    """The record would be refused by the broker; nothing was written."""

    code, kind = "eventing.record.too_large", Kind.INVALID
    title = "The record is too large to publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxConfig:
    """``source`` is the service's name. ``lanes`` bounds how many relays of one schema can share the work."""

    schema: str
    source: str
    lanes: int = 8
    record_bytes_max: int = 900_000


class Outbox:
    """Bound to one connection with an open transaction. ``execute`` in place of the connection's, such as one that does
    more in the same statement.
    """

    def __init__(
        self, conn: Connection, config: OutboxConfig, wakeups: Wakeups | None = None, execute: Execute | None = None
    ) -> None:
        self._execute: Execute = execute or conn.execute
        self._config = config
        self._wakeups = wakeups
        self._rows: list[tuple[Any, ...]] = []
        self._lanes: set[int] = set()

    def add(
        self,
        body: Body,
        *,
        aggregate_version: int | None = None,
        event_id: UUID | None = None,
        key: str | None = None,
        topic: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> UUID:
        """Buffer one record; returns its id.

        Topic and key are what the message's record option says, unless given. Raises ``RecordTooLargeError``, and
        ``ValueError`` for an empty key.
        """
        travel = travel_of(type(body))
        record_id = event_id or uuid7()
        record_key = key if key is not None else str(getattr(body, travel.key_field))
        if not record_key:
            raise ValueError(f"{travel.type}: the record key is empty")
        value = body.SerializeToString()
        if len(value) > self._config.record_bytes_max:
            raise RecordTooLargeError(
                f"{travel.type} has {len(value)} bytes, the limit is {self._config.record_bytes_max}"
            )
        packed = pack_headers([(name, text.encode()) for name, text in headers.items()]) if headers else None
        self._rows.append(
            (
                lane_of(record_key, self._config.lanes),
                record_id,
                topic or travel.topic.replace(PARTICIPANT, self._config.source),
                record_key,
                travel.type,
                value,
                datetime.now(UTC),
                aggregate_version,
                correlation_id() or str(record_id),
                causation_id(),
                current_traceparent(),
                packed,
                travel.logged,
            )
        )
        return record_id

    def add_raw(self, *, event_id: UUID, topic: str, key: str, value: bytes, headers: Headers) -> None:
        """Buffer a record whose bytes and headers travel as they are (dead letters)."""
        lane, now = lane_of(key, self._config.lanes), datetime.now(UTC)
        self._rows.append(
            (lane, event_id, topic, key, None, value, now, None, str(event_id), None, None, pack_headers(headers), True)
        )

    async def flush(self) -> None:
        """Write what was buffered: one statement, however many records."""
        if not self._rows:
            return
        faultpoint("outbox.before_insert")
        await self._execute(_insert(self._config.schema), *_columns(self._rows))
        faultpoint("outbox.after_insert")
        self._lanes.update(row[0] for row in self._rows)
        self._rows.clear()

    def take(self) -> list[list[Any]]:
        """What was buffered, one list per ``INSERT_COLUMNS``.

        For a hot path that writes its effect and its records in one statement; ``committed`` still follows.
        """
        columns: list[list[Any]] = _columns(self._rows) if self._rows else [[] for _ in INSERT_COLUMNS]
        self._lanes.update(row[0] for row in self._rows)
        self._rows.clear()
        return columns

    def committed(self) -> None:
        """Wake the relay. Call after the commit."""
        faultpoint("outbox.after_commit")
        if self._lanes and self._wakeups is not None:
            self._wakeups.committed(self._lanes)
        self._lanes = set()


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _insert(schema: str) -> str:
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(INSERT_COLUMNS.values(), 1))
    return f"INSERT INTO {schema}.outbox ({', '.join(INSERT_COLUMNS)}) SELECT * FROM unnest({arrays})"
