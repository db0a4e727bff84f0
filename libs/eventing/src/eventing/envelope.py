"""CloudEvents 1.0 in Kafka's binary mode: headers written and read.

A record without readable ``ce_id``, ``ce_type`` and ``ce_time`` is malformed, whatever its bytes are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from asyncpg import Record
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Body

from eventing.message import Message

Row = Record | Mapping[str, Any]  # of the outbox
Headers = Sequence[tuple[str, bytes]]
CONTENT_TYPE: Final = b"application/protobuf"
B = TypeVar("B", bound=Body)


class MalformedError(Exception):
    """The record cannot be read; the sentence says why and quotes no content."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers of a record say."""

    id: UUID
    type: str
    time: datetime
    headers: Mapping[str, str]


def cloud_event_headers(row: Row, source: str) -> list[tuple[str, bytes]]:
    """Headers of one outbox row."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(row["event_id"]).encode()),
        ("ce_type", row["type"].encode()),
        ("ce_source", source.encode()),
        ("ce_subject", row["key"].encode()),
        ("ce_time", row["occurred_at"].astimezone(UTC).isoformat().encode()),
        ("content-type", CONTENT_TYPE),
        ("correlation_id", row["correlation_id"].encode()),
    ]
    if row["causation_id"] is not None:
        headers.append(("causation_id", row["causation_id"].encode()))
    if row["aggregate_version"] is not None:
        headers.append(("aggregate_version", b"%d" % row["aggregate_version"]))
    if row["traceparent"] is not None:
        headers.append(("traceparent", row["traceparent"].encode()))
    if row["headers"] is not None:
        headers.extend(unpack_headers(row["headers"]))
    return headers


def pack_headers(headers: Headers) -> str:
    """Headers as JSON text; any byte survives, because bytes are read as Latin-1."""
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers], ensure_ascii=True)


def unpack_headers(packed: str) -> list[tuple[str, bytes]]:
    """The inverse of ``pack_headers``."""
    return [(name, value.encode("latin-1")) for name, value in json.loads(packed)]


def header_texts(headers: Headers) -> dict[str, str]:
    """Header values as text; the last of a repeated name wins."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in headers}


def open_envelope(headers: Mapping[str, str]) -> Envelope:
    """Raises ``MalformedError`` when a required attribute is missing or unreadable."""
    try:
        event_id = UUID(headers["ce_id"])
        event_type = headers["ce_type"]
        occurred_at = datetime.fromisoformat(headers["ce_time"])
    except KeyError as missing:
        raise MalformedError(f"header {missing.args[0]} is missing") from None
    except ValueError:
        raise MalformedError("header ce_id or ce_time is unreadable") from None
    if occurred_at.tzinfo is None:
        raise MalformedError("header ce_time has no time zone")
    return Envelope(event_id, event_type, occurred_at, headers)


def read_message(
    envelope: Envelope, body_type: type[B], *, topic: str, partition: int, offset: int, key: str, value: bytes | None
) -> Message[B]:
    """The message in a record.

    Raises ``MalformedError`` when the bytes are not a ``body_type`` or a header is not what it should be.
    """
    headers = envelope.headers
    version = headers.get("aggregate_version")
    try:
        body = body_type.FromString(value or b"")
        aggregate_version = int(version) if version is not None else None
    except DecodeError:
        raise MalformedError(f"the value is not a readable {envelope.type}") from None
    except ValueError:
        raise MalformedError("header aggregate_version is not a number") from None
    return Message(
        id=envelope.id,
        type=envelope.type,
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        time=envelope.time,
        body=body,
        headers=headers,
        correlation_id=headers.get("correlation_id") or str(envelope.id),
        causation_id=headers.get("causation_id"),
        aggregate_version=aggregate_version,
        reply_key=headers.get("reply_key"),
    )
