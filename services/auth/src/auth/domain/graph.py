"""How two people stand to each other.

AUTH-20: between two people at most one friend request waits.
AUTH-21: a block, either way, leaves no friendship, follow or waiting request between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from kernel.errors import DomainError, Kind

FRIENDS_MAX: Final = 5_000
BLOCKS_MAX: Final = 10_000
FOLLOWS_MAX: Final = 10_000


class RelationKind(StrEnum):
    """``friend`` is kept both ways; ``block`` and ``follow`` from one to the other."""

    FRIEND = "friend"
    BLOCK = "block"
    FOLLOW = "follow"


class NotWithOneselfError(DomainError):
    code, kind = "auth.graph.not_with_oneself", Kind.INVALID
    title = "That is you"


class AlreadyFriendsError(DomainError):
    code, kind = "auth.friend_request.already_friends", Kind.CONFLICT
    title = "You are friends already"


class AlreadyAskedError(DomainError):
    code, kind = "auth.friend_request.already_asked", Kind.CONFLICT
    title = "You have asked already; the answer is theirs"


class FriendRequestNotFoundError(DomainError):
    code, kind = "auth.friend_request.not_found", Kind.NOT_FOUND
    title = "There is no such friend request"


class GraphLimitError(DomainError):
    code, kind = "auth.graph.limit_reached", Kind.CONFLICT
    title = "You have as many as one can have"


@dataclass(frozen=True, slots=True)
class Relation:
    """``version`` grows each time it begins or ends."""

    kind: RelationKind
    from_id: UUID
    to_id: UUID
    version: int
    active: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class RelationChanged:
    """Announced; a friendship once, for both."""

    relation: Relation


@dataclass(frozen=True, slots=True)
class FriendRequest:
    request_id: UUID
    from_id: UUID
    to_id: UUID
    message: str
    status: str
    created_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FriendRequestSent:
    request: FriendRequest


@dataclass(frozen=True, slots=True)
class FriendRequestClosed:
    """Declined or cancelled; an accepted one is told as the friendship that began."""

    request: FriendRequest


GraphEvent = RelationChanged | FriendRequestSent | FriendRequestClosed


def pair_id(one: UUID, other: UUID) -> str:
    """The same whoever of the two comes first."""
    return f"{min(one, other)}:{max(one, other)}"
