"""The stream of a dialog: every stored change has the next ``seq``, and readers apply them in that order.

MSG-1: per dialog the seqs of messages and changes are 1, 2, 3 … without a hole.
MSG-2: ``message_no`` counts the messages among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from kernel.errors import DomainError, Kind


class TooOldError(DomainError):
    """What was asked for is no longer kept. ``context["oldest_seq"]`` is where to start anew."""

    code, kind = "messaging.stream.too_old", Kind.CONFLICT
    title = "The position is older than what is kept; fetch anew"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One stored change of a dialog as clients get it: ``frame`` is the JSON text of the realtime frame, UTF-8.

    ``subject_id`` is the person a ``member.changed`` is about, and ``ended`` whether they may read no further.
    ``message_seq`` is the earlier message the change is about: who may not see that one is not shown the change.
    ``hidden_from``: who deleted that message, or the one this event brought, for themselves.
    """

    dialog_id: UUID
    seq: int
    type: str
    frame: bytes
    subject_id: UUID | None = None
    ended: bool = False
    message_seq: int | None = None
    hidden_from: frozenset[UUID] = frozenset()

    def is_shown_to(self, user_id: UUID, from_seq: int) -> bool:
        """Whether it may be shown to this person, who sees the messages from ``from_seq`` on."""
        return self.is_shown_from(from_seq) and user_id not in self.hidden_from

    def is_shown_from(self, from_seq: int) -> bool:
        """Whether it may be shown to whoever sees the messages from ``from_seq`` on."""
        return self.message_seq is None or self.message_seq >= from_seq


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One change that only the devices of one person hear of."""

    user_id: UUID
    account_seq: int
    type: str
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message that was allowed, before it has its seq. ``sender_id`` is None for the system's own."""

    sender_id: UUID | None
    type: str
    content: Mapping[str, Any]
    client_message_id: UUID | None = None
    body_hash: bytes | None = None
    reply_to_seq: int | None = None
    thread_seq: int | None = None
    forward: Mapping[str, Any] | None = None
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChange:
    """A change that is not a message."""

    type: str
    actor_id: UUID | None = None
    message_seq: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Position:
    """Where a dialog stands, its row being locked: ``allot`` gives out the next seq."""

    dialog_id: UUID
    workspace_id: UUID
    kind: str
    last_seq: int
    last_message_no: int
    last_at: datetime
    last_message_at: datetime | None = None
    content_published: bool = False

    def allot(self, now: datetime) -> tuple[int, datetime]:
        """The next seq and its time. Times never go back within a dialog, whatever a clock does."""
        self.last_seq += 1
        self.last_at = max(now, self.last_at)
        return self.last_seq, self.last_at

    def allot_message(self, now: datetime) -> tuple[int, int, datetime]:
        """The next (seq, message_no, time)."""
        seq, at = self.allot(now)
        self.last_message_no += 1
        self.last_message_at = at
        return seq, self.last_message_no, at


@dataclass(frozen=True, slots=True)
class PresenceVisibilityChanged:
    """What ``viewer_id`` may see of a person's presence may have changed; None: what anybody may."""

    user_id: UUID
    viewer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A dialog somebody may follow, and from which seq on."""

    dialog_id: UUID
    kind: str
    from_seq: int
    last_seq: int
    oldest_seq: int
    member_count: int
