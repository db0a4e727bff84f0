"""A request to be friends: it waits until it is accepted, declined by who was asked, or cancelled by who asked.

AUTH-20: between two people at most one friend request waits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from auth.domain.ids import FriendRequestId, UserId
from kernel.errors import DomainError, Kind


class FriendRequestStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class AlreadyFriendsError(DomainError):
    code, kind = "auth.friend_request.already_friends", Kind.CONFLICT
    title = "You are friends already"


class AlreadyAskedError(DomainError):
    code, kind = "auth.friend_request.already_asked", Kind.CONFLICT
    title = "You have asked already; the answer is theirs"


class FriendRequestNotFoundError(DomainError):
    code, kind = "auth.friend_request.not_found", Kind.NOT_FOUND
    title = "There is no such friend request"


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendRequest:
    request_id: FriendRequestId
    from_id: UserId
    to_id: UserId
    message: str
    status: FriendRequestStatus = FriendRequestStatus.PENDING
    created_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FriendRequestSent:
    request: FriendRequest


@dataclass(frozen=True, slots=True)
class FriendRequestClosed:
    """Declined or cancelled; an accepted one is announced as the friendship that began."""

    request: FriendRequest


def decides(user_id: UserId, status: FriendRequestStatus, request: FriendRequest) -> bool:
    """Who asked may cancel; who was asked may accept or decline."""
    return user_id == (request.from_id if status is FriendRequestStatus.CANCELLED else request.to_id)


def refusal_by(user_id: UserId, request: FriendRequest) -> FriendRequestStatus:
    """What becomes of a waiting request when one of the two wants nothing of the other."""
    return FriendRequestStatus.CANCELLED if user_id == request.from_id else FriendRequestStatus.DECLINED


def accept(request: FriendRequest, now: datetime) -> FriendRequest:
    return replace(request, status=FriendRequestStatus.ACCEPTED, decided_at=now)


def close(
    request: FriendRequest, status: FriendRequestStatus, now: datetime
) -> tuple[FriendRequest, FriendRequestClosed]:
    """Decline or cancel it."""
    closed = replace(request, status=status, decided_at=now)
    return closed, FriendRequestClosed(closed)
