"""One record as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message as Body

B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Generic[B_co]):
    """A decoded record. ``topic`` is without prefix; ``key`` is "" where the record had none.

    ``id`` is the same however often the record is delivered or republished. ``correlation_id`` names the flow,
    ``causation_id`` what caused it.
    """

    id: UUID
    type: str
    topic: str
    partition: int
    offset: int
    key: str
    time: datetime
    body: B_co
    headers: Mapping[str, str]
    correlation_id: str
    causation_id: str | None
    aggregate_version: int | None
    reply_key: str | None
