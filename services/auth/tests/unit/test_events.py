"""Facts as records: every field filled, versions only where order is per person."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auth.adapters.events import record_of
from auth.domain import friend_request
from auth.domain import session as sessions
from auth.domain import user as users
from auth.domain.friend_request import FriendRequest, FriendRequestSent, FriendRequestStatus
from auth.domain.ids import FriendRequestId, OtpId, SessionId, UserId
from auth.domain.otp import Channel, OtpIssued, OtpPurpose
from auth.domain.relation import Relation, RelationChanged, RelationKind
from auth.domain.roles import Role
from auth.domain.session import RevocationReason, SessionRevoked, SignInMethod
from auth.domain.settings import first_settings
from kernel.country import Country

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
USER, REGISTERED = users.register(
    user_id=UserId(uuid.uuid4()),
    email="mai@example.com",
    phone_e164="+84912345678",
    name="Mai Linh",
    country=Country.VN,
    settings=first_settings(Country.VN, None, None),
    password_hash=None,
    proved=True,
    now=NOW,
)
CHANGED, PROFILE = users.change_profile(USER, {"name": "Mai"}, NOW)
ROLES = users.change_roles(USER, frozenset({Role.SELLER}), NOW)[1]
DELETED = users.delete(USER, NOW)[1]
STARTED = sessions.start(
    session_id=SessionId(uuid.uuid4()), user_id=USER.id, method=SignInMethod.OTP, device_name="Pixel", now=NOW
)[1]
REVOKED = SessionRevoked(
    user_id=USER.id, session_id=SessionId(uuid.uuid4()), reason=RevocationReason.LOGOUT, revoked_at=NOW
)
CODE = OtpIssued(
    otp_id=OtpId(uuid.uuid4()),
    channel=Channel.SMS,
    destination="+84912345678",
    code="012345",
    locale="vi-VN",
    purpose=OtpPurpose.SIGN_IN,
    expires_at=NOW + timedelta(minutes=10),
)


OTHER = UserId(uuid.uuid4())
REQUEST = FriendRequest(
    request_id=FriendRequestId(uuid.uuid4()), from_id=USER.id, to_id=OTHER, message="hi", created_at=NOW
)


def changed(kind: RelationKind, *, active: bool) -> RelationChanged:
    return RelationChanged(Relation(kind, USER.id, OTHER, 3, active, NOW))


@pytest.mark.parametrize(
    ("fact", "name", "version"),
    [
        (REGISTERED, "sampan.auth.v1.UserRegistered", 1),
        (PROFILE, "sampan.auth.v1.UserProfileChanged", 2),
        (ROLES, "sampan.auth.v1.UserRolesChanged", 2),
        (
            users.UserAccessReset(user=replace(USER, access_epoch=1), changed_at=NOW),
            "sampan.auth.v1.UserAccessReset",
            1,
        ),
        (DELETED, "sampan.auth.v1.UserDeleted", 2),
        (STARTED, "sampan.auth.v1.SessionStarted", None),
        (REVOKED, "sampan.auth.v1.SessionRevoked", None),
        (CODE, "sampan.notification.v1.SendOtp", None),
        (users.UserPrivacyChanged(user=USER, changed_at=NOW), "sampan.auth.v1.UserPrivacyChanged", None),
        (FriendRequestSent(REQUEST), "sampan.auth.v1.FriendRequestSent", None),
        (
            friend_request.close(REQUEST, FriendRequestStatus.DECLINED, NOW)[1],
            "sampan.auth.v1.FriendRequestClosed",
            None,
        ),
        (changed(RelationKind.FRIEND, active=True), "sampan.auth.v1.FriendshipStarted", None),
        (changed(RelationKind.FRIEND, active=False), "sampan.auth.v1.FriendshipEnded", None),
        (changed(RelationKind.BLOCK, active=True), "sampan.auth.v1.UserBlocked", None),
        (changed(RelationKind.BLOCK, active=False), "sampan.auth.v1.UserUnblocked", None),
        (changed(RelationKind.FOLLOW, active=True), "sampan.auth.v1.UserFollowed", None),
        (changed(RelationKind.FOLLOW, active=False), "sampan.auth.v1.UserUnfollowed", None),
    ],
)
def test_every_fact_fills_every_field(fact: object, name: str, version: int | None) -> None:
    body, aggregate_version = record_of(fact)
    assert body.DESCRIPTOR.full_name == name
    assert aggregate_version == version
    assert {field.name for field, _ in body.ListFields()} == {field.name for field in body.DESCRIPTOR.fields}


def test_absent_contact_is_empty() -> None:
    body, _ = record_of(users.UserRegistered(user=replace(USER, email=None)))
    assert body.email == ""


def test_unknown_facts_are_an_error() -> None:
    with pytest.raises(TypeError, match="not announced"):
        record_of(object())
