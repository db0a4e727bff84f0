"""What narrows a role in a dialog, and whom nothing narrows."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from messaging.core.domain.dialog import Dialog, Membership, MemberStatus, MutedError, NotAllowedError, SlowModeError
from messaging.core.domain.permissions import DEFAULTS, Act, Role
from messaging.core.domain.stream import Position

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def dialog(kind="topic", **rest):
    place = Position(
        dialog_id=uuid.uuid4(), workspace_id=uuid.uuid4(), kind=kind, last_seq=0, last_message_no=0, last_at=NOW
    )
    return Dialog(position=place, **rest)


def member(role, *, owns_shop, **rest):
    return Membership(user_id=uuid.uuid4(), role=role, owns_shop=owns_shop, **{"status": MemberStatus.ACTIVE, **rest})


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("said", [[], ["react"]])
def test_permissions_narrow_every_role_but_the_owner_and_never_the_shops_owner(role, act, said):
    narrow = dialog(permissions={each.value: said for each in Role})
    usual = act in DEFAULTS["topic"][role]
    assert narrow.allows(member(role, owns_shop=False), act) == (usual if role is Role.OWNER else act in said)
    assert narrow.allows(member(role, owns_shop=True), act) == (usual or act in said)


def test_permissions_still_widen_what_the_shops_owner_may():
    wide = dialog(permissions={"guest": ["pin"]})
    assert wide.allows(member(Role.GUEST, owns_shop=True), Act.PIN)
    assert not dialog().allows(member(Role.GUEST, owns_shop=True), Act.PIN)


@pytest.mark.parametrize("until", [None, NOW + timedelta(hours=1)])
def test_a_mute_binds_all_but_the_shops_owner(until):
    muted = {"status": MemberStatus.MUTED, "muted_until": until}
    with pytest.raises(MutedError):
        dialog().require(member(Role.ADMIN, owns_shop=False, **muted), Act.SEND, NOW)
    dialog().require(member(Role.ADMIN, owns_shop=True, **muted), Act.SEND, NOW)


def test_slow_mode_binds_members_but_not_the_shops_owner():
    slow, just_now = dialog(slow_mode_s=60), {"last_sent_at": NOW - timedelta(seconds=1)}
    for role, owns_shop in ((Role.MODERATOR, False), (Role.MEMBER, True)):
        slow.require_pace(member(role, owns_shop=owns_shop, **just_now), NOW)
    with pytest.raises(SlowModeError):
        slow.require_pace(member(Role.MEMBER, owns_shop=False, **just_now), NOW)


def test_nobody_acts_without_a_right_their_role_does_not_have():
    with pytest.raises(NotAllowedError):
        dialog().require(member(Role.MEMBER, owns_shop=True), Act.MANAGE_ROLES, NOW)
