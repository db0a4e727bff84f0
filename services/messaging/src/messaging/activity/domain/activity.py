"""What happened that concerns a person: rows of their activity feed.

ACT-1: one happening has one row per person (``dedupe_key``), however often it is told. Ids are made of the happening's
time and its key: they sort by time, and a retry makes the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from messaging.core.domain.dialog import PAIRS

UNREAD_COUNTED_MAX: Final = 1_000
JOINS_TOLD_MEMBERS_MAX: Final = 1_000
# Of a long thread, who answered in it lately is told of the next answer.
THREAD_TOLD_MAX: Final = 50
_SAME_MOMENT: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM: Final = (1 << 62) - 1


class ActivityType(StrEnum):
    MENTION = "mention"
    REPLY = "reply"
    REACTION = "reaction"
    INVITE = "invite"
    JOIN = "join"
    ORDER = "order"


# What a person still hears of in a dialog of which they want to hear of mentions only.
PERSONAL: Final = frozenset({ActivityType.MENTION, ActivityType.REPLY})
# What no setting of a dialog leaves out.
UNCONDITIONAL: Final = frozenset({ActivityType.INVITE, ActivityType.ORDER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """``actor_id``: who did it; None when it was nobody in particular."""

    user_id: UUID
    type: ActivityType
    dedupe_key: str
    created_at: datetime
    actor_id: UUID | None = None
    dialog_id: UUID | None = None
    seq: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def activity_id(self) -> UUID:
        return activity_id(self.created_at, f"{self.user_id}:{self.dedupe_key}")


def activity_id(at: datetime, key: str) -> UUID:
    """A version 7 UUID of the moment and the key."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return _at(at, int.from_bytes(digest) & _RANDOM)


def last_id(at: datetime) -> UUID:
    """Not before the id of anything up to this moment."""
    return _at(at, _RANDOM)


def _at(at: datetime, random: int) -> UUID:
    # Before 1970 nothing happened: such a moment is before every other, not far in the future.
    unix_ms, rest = divmod(max(at - _EPOCH, timedelta()) // timedelta(microseconds=1), 1000)
    fraction = (rest << 12) // 1000
    return UUID(int=(unix_ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random)


@dataclass(frozen=True, slots=True)
class ForAll:
    """A mention of everybody in a dialog, or of everybody with a role."""

    dialog_id: UUID
    activity_id: UUID
    seq: int
    target: str
    actor_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody reacted, or took it back: which of the two is looked up. ``writer_id``: of the message."""

    dialog_id: UUID
    seq: int
    user_id: UUID
    writer_id: UUID | None

    @property
    def place(self) -> tuple[UUID, int, UUID]:
        return self.dialog_id, self.seq, self.user_id

    @property
    def key(self) -> str:
        """One row for one person's reactions to one message."""
        return f"reaction:{self.dialog_id}:{self.seq}:{self.user_id}"


@dataclass(frozen=True, slots=True)
class LatestReaction:
    emoji: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Joining:
    """Somebody is in a dialog since then, brought in by somebody or not."""

    dialog_id: UUID
    user_id: UUID
    by: UUID | None
    at: datetime

    @property
    def invited_by(self) -> UUID | None:
        """Who brought them in; None: they came by themselves."""
        return self.by if self.by != self.user_id else None

    def activity(self, listener_id: UUID, kind: ActivityType, actor_id: UUID, key: str) -> Activity:
        return Activity(
            user_id=listener_id,
            type=kind,
            dedupe_key=key,
            actor_id=actor_id,
            dialog_id=self.dialog_id,
            created_at=self.at,
        )


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody's place in a dialog as it is now."""

    joined_at: datetime
    joined_seq: int
    kind: str
    member_count: int

    def joined_by(self, joining: Joining) -> bool:
        """Whether it began with this joining, in a dialog that one can join.

        A change of role says "active" too; only one made in the moment of joining is a joining.
        """
        return self.kind not in PAIRS and abs(joining.at - self.joined_at) <= _SAME_MOMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """What an order has come to."""

    order_id: UUID
    number: str
    status: str
    people: tuple[UUID, ...]
    at: datetime
