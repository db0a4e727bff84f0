"""Stored changes as the JSON that clients get: one shape for HTTP, frames and the long poll.

Invariant: what is rendered holds nothing about the one who looks, so one rendering serves all watchers of a dialog
that may see what it is about, and one other all who may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from messaging.core.domain.stream import StreamEvent

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def to_json(value: Any) -> bytes:
    """UTF-8 JSON; UUIDs and times as the API writes them."""
    return orjson.dumps(value, default=_as_text, option=_OPTIONS)


def _as_text(value: Any) -> str:
    """asyncpg's own UUIDs, which are a subclass."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)


def message_document(
    *,
    dialog_id: UUID,
    seq: int,
    at: datetime,
    sender_id: UUID | None,
    content: Mapping[str, Any] | None,
    client_message_id: UUID | None = None,
    reply_to_seq: int | None = None,
    thread_seq: int | None = None,
    forward: Mapping[str, Any] | None = None,
    mentions: list[str] | tuple[str, ...] = (),
    version: int = 1,
    edited_at: datetime | None = None,
    deleted_at: datetime | None = None,
    extras: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A message as everybody in the dialog sees it. ``extras``: what hangs on it, from reactions to previews."""
    return {
        "dialog_id": dialog_id,
        "seq": seq,
        "sent_at": at.astimezone(UTC),
        "sender_id": sender_id,
        "content": content,
        "client_message_id": client_message_id,
        "reply_to_seq": reply_to_seq,
        "thread_seq": thread_seq,
        "forward": forward,
        "mentions": list(mentions),
        "version": version,
        "edited_at": edited_at,
        "deleted_at": deleted_at,
        "reactions": [],
        "reply_count": 0,
        "pinned": False,
        "poll": None,
        "card": None,
        "preview": None,
        "attachments": [],
        **(extras or {}),
    }


def frame(kind: str, dialog_id: UUID, seq: int, at: datetime, body: Mapping[str, Any]) -> bytes:
    """A stored frame of a dialog."""
    return to_json({"type": kind, "dialog_id": dialog_id, "seq": seq, "at": at.astimezone(UTC), **body})


def withheld(shown: bytes) -> bytes:
    """What stands in place of a dialog's frame for whoever may not see the message it is about: its place alone."""
    whole = orjson.loads(shown)
    return to_json({"type": "event.withheld", **{name: whole[name] for name in ("dialog_id", "seq", "at")}})


def shown_to(event: StreamEvent, user_id: UUID, from_seq: int) -> bytes:
    """The frame for this person, who sees the messages from ``from_seq`` on."""
    return event.frame if event.is_shown_to(user_id, from_seq) else withheld(event.frame)


def account_frame(kind: str, account_seq: int, at: datetime, body: Mapping[str, Any]) -> bytes:
    """A stored frame of one person's account."""
    return to_json({"type": kind, "account_seq": account_seq, "at": at.astimezone(UTC), **body})
