"""The index of searchable messages: what goes into it, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

Place = tuple[UUID, int]
"""A message: its dialog and seq."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableMessage:
    """A message that can be read now. ``kind``: its type."""

    dialog_id: UUID
    seq: int
    sender_id: UUID | None
    kind: str
    content: Mapping[str, Any]
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it is found. ``terms``: the text of a ``tsvector``."""

    dialog_id: UUID
    seq: int
    created_at: datetime
    version: int
    stretch: int
    terms: str


@dataclass(frozen=True, slots=True)
class FilledStretch:
    """A stretch of a dialog that has messages, from the first to the last."""

    dialog_id: UUID
    stretch: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A message that the index offers."""

    dialog_id: UUID
    seq: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Probe:
    """One look into a stretch: entries from ``from_seq`` and below ``below_seq`` that answer ``condition``."""

    dialog_id: UUID
    first_at: datetime
    last_at: datetime
    from_seq: int
    below_seq: int
    condition: str
