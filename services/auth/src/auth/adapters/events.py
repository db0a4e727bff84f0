"""Facts of the domain into the outbox, as Protobuf records.

Events of a person carry the person's version. Session events carry none: many sessions share one key, and their
order is the order of commit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any, Final

from google.protobuf.message import Message as Body

from auth.domain import session as sessions
from auth.domain import user as users
from auth.domain.friend_request import FriendRequestClosed, FriendRequestSent
from auth.domain.ids import SessionId
from auth.domain.otp import Channel, OtpIssued
from auth.domain.relation import RelationChanged, RelationKind, pair_id
from auth.usecases.ports import Fact
from contracts.values import timestamp_of
from eventing import Outbox
from sampan.auth.v1 import graph_pb2, session_pb2, user_pb2
from sampan.notification.v1 import commands_pb2

_OF_A_PERSON: Final = (
    users.UserRegistered,
    users.UserProfileChanged,
    users.UserRolesChanged,
    users.UserAccessReset,
    users.UserDeleted,
)


class Events:
    """Bound to one transaction's outbox. ``ended``: the sessions that end with its commit."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.ended: list[SessionId] = []

    def add(self, *facts: Fact) -> None:
        for fact in facts:
            body, version = record_of(fact)
            self._outbox.add(body, aggregate_version=version)
            if isinstance(fact, sessions.SessionRevoked):
                self.ended.append(fact.session_id)


def record_of(fact: Fact) -> tuple[Body, int | None]:
    """The record's body and the version of its aggregate."""
    return _body_of(fact), fact.user.version if isinstance(fact, _OF_A_PERSON) else None


@singledispatch
def _body_of(fact: object) -> Body:
    raise TypeError(f"{type(fact).__name__} is not announced")


@_body_of.register
def _(event: users.UserRegistered) -> Body:
    user = event.user
    return user_pb2.UserRegistered(**_profile(user), registered_at=timestamp_of(user.registered_at))


@_body_of.register
def _(event: users.UserProfileChanged) -> Body:
    user = event.user
    return user_pb2.UserProfileChanged(**_profile(user), changed_at=timestamp_of(event.changed_at))


def _profile(user: users.User) -> dict[str, Any]:
    return {
        "user_id": str(user.id),
        "country": user.country,
        "locale": user.settings.locale,
        "time_zone": user.settings.time_zone,
        "display_name": user.name,
        "email": user.email or "",
        "phone_e164": user.phone_e164 or "",
        "kyc_tier": user.kyc_tier,
        "email_verified": users.is_proved(user, Channel.EMAIL),
        "phone_verified": users.is_proved(user, Channel.SMS),
    }


@_body_of.register
def _(event: users.UserRolesChanged) -> Body:
    return user_pb2.UserRolesChanged(
        user_id=str(event.user.id), roles=sorted(event.user.roles), changed_at=timestamp_of(event.changed_at)
    )


@_body_of.register
def _(event: users.UserAccessReset) -> Body:
    return user_pb2.UserAccessReset(
        user_id=str(event.user.id), reset_at=timestamp_of(event.changed_at), access_epoch=event.user.access_epoch
    )


@_body_of.register
def _(event: users.UserDeleted) -> Body:
    return user_pb2.UserDeleted(user_id=str(event.user.id), deleted_at=timestamp_of(event.changed_at))


@_body_of.register
def _(event: users.UserPrivacyChanged) -> Body:
    user, choices = event.user, event.user.settings
    return graph_pb2.UserPrivacyChanged(
        user_id=str(user.id),
        version=user.version,
        show_presence_to=choices.show_presence_to,
        direct_messages_from=choices.direct_messages_from,
        read_receipts=choices.read_receipts,
        at=timestamp_of(event.changed_at),
    )


@_body_of.register
def _(event: RelationChanged) -> Body:
    """A pair has several relations, each with a version of its own: it is in the body."""
    relation = event.relation
    make, one, other = _RELATIONS[relation.kind, relation.active]
    names = {one: str(relation.from_id), other: str(relation.to_id)}
    pair = pair_id(relation.from_id, relation.to_id)
    return make(pair_id=pair, version=relation.version, at=timestamp_of(relation.since), **names)


@_body_of.register
def _(event: FriendRequestSent) -> Body:
    request = event.request
    return graph_pb2.FriendRequestSent(
        pair_id=pair_id(request.from_id, request.to_id),
        request_id=str(request.request_id),
        from_id=str(request.from_id),
        to_id=str(request.to_id),
        message=request.message,
        at=timestamp_of(request.created_at),
    )


@_body_of.register
def _(event: FriendRequestClosed) -> Body:
    request = event.request
    return graph_pb2.FriendRequestClosed(
        pair_id=pair_id(request.from_id, request.to_id),
        request_id=str(request.request_id),
        status=request.status,
        at=timestamp_of(request.decided_at or request.created_at),
    )


_RELATIONS: Final[dict[tuple[RelationKind, bool], tuple[Callable[..., Body], str, str]]] = {
    (RelationKind.BLOCK, True): (graph_pb2.UserBlocked, "blocker_id", "blocked_id"),
    (RelationKind.BLOCK, False): (graph_pb2.UserUnblocked, "blocker_id", "blocked_id"),
    (RelationKind.FRIEND, True): (graph_pb2.FriendshipStarted, "user_id", "friend_id"),
    (RelationKind.FRIEND, False): (graph_pb2.FriendshipEnded, "user_id", "friend_id"),
    (RelationKind.FOLLOW, True): (graph_pb2.UserFollowed, "follower_id", "followed_id"),
    (RelationKind.FOLLOW, False): (graph_pb2.UserUnfollowed, "follower_id", "followed_id"),
}


@_body_of.register
def _(event: sessions.SessionStarted) -> Body:
    session = event.session
    return session_pb2.SessionStarted(
        user_id=str(session.user_id),
        session_id=str(session.id),
        method=session.method,
        device_name=session.device_name,
        started_at=timestamp_of(session.started_at),
    )


@_body_of.register
def _(event: sessions.SessionRevoked) -> Body:
    return session_pb2.SessionRevoked(
        user_id=str(event.user_id),
        session_id=str(event.session_id),
        reason=event.reason,
        revoked_at=timestamp_of(event.revoked_at),
    )


@_body_of.register
def _(issued: OtpIssued) -> Body:
    return commands_pb2.SendOtp(
        otp_id=str(issued.otp_id),
        channel=issued.channel,
        destination=issued.destination,
        code=issued.code,
        locale=issued.locale,
        purpose=issued.purpose,
        expires_at=timestamp_of(issued.expires_at),
    )
