"""Profiles, settings, roles and the end of an account: every branch, on fakes."""

from __future__ import annotations

from uuid import uuid4

import pytest

from auth.domain.ids import UserId
from auth.domain.relation import RelationKind
from auth.domain.roles import Role
from auth.domain.security_log import SecurityEvent
from auth.domain.session import Origin, RevocationReason, SignInMethod
from auth.domain.settings import Audience
from auth.domain.user import User, UserNotFoundError, UserVersionStaleError
from auth.usecases.change_profile import ChangeProfile, change_profile
from auth.usecases.change_settings import ChangeSettings, change_settings
from auth.usecases.delete_user import DeleteUser, delete_user
from auth.usecases.follow_person import FollowPerson, follow_person
from auth.usecases.grant_role import GrantRole, grant_role
from auth.usecases.open_session import OpenSession, Signed, open_session
from auth.usecases.send_friend_request import SendFriendRequest, send_friend_request
from auth.usecases.withdraw_role import WithdrawRole, withdraw_role
from auth_testing.world import World


async def signed_in(world: World, user: User) -> Signed:
    async with world.begin() as tx:
        opening = OpenSession(user=world.user(user), method=SignInMethod.PASSWORD, origin=Origin(ip="192.0.2.1"))
        return await open_session(opening, tx, world.tools.issuer)


async def test_a_profile_changes_and_is_told(world: World) -> None:
    user = world.person()
    async with world.begin() as tx:
        command = ChangeProfile(user_id=user.id, changes={"name": "Mai"}, versions=frozenset({1}))
        changed = await change_profile(command, tx)
    assert (world.user(user), changed.name, changed.version) == (changed, "Mai", 2)
    assert world.facts() == ["UserProfileChanged"]


async def test_a_profile_that_stays_is_not_written(world: World) -> None:
    user = world.person()
    async with world.begin() as tx:
        assert await change_profile(ChangeProfile(user_id=user.id, changes={"name": user.name}), tx) == user
    assert (world.user(user), world.facts()) == (user, [])


@pytest.mark.parametrize(
    ("changes", "version", "told"),
    [
        ({}, 1, []),
        ({"findable_by_email": True}, 2, []),
        ({"locale": "en-US"}, 2, ["UserProfileChanged"]),
        ({"read_receipts": False}, 2, ["UserPrivacyChanged"]),
        ({"locale": "en-US", "direct_messages_from": Audience.NOBODY}, 2, ["UserProfileChanged", "UserPrivacyChanged"]),
    ],
)
async def test_settings_are_told_to_whom_they_matter(
    world: World, changes: dict[str, object], version: int, told: list[str]
) -> None:
    user = world.person()
    async with world.begin() as tx:
        changed = await change_settings(ChangeSettings(user_id=user.id, changes=changes), tx)
    assert (world.user(user), changed.version) == (changed, version)
    assert world.facts() == told


async def test_who_read_another_version_changes_nothing(world: World) -> None:
    user, read = world.person(), frozenset({7})
    for change in (
        lambda tx: change_profile(ChangeProfile(user_id=user.id, changes={"name": "Mai"}, versions=read), tx),
        lambda tx: change_settings(ChangeSettings(user_id=user.id, changes={}, versions=read), tx),
        lambda tx: delete_user(DeleteUser(user_id=user.id, versions=read), tx),
    ):
        with pytest.raises(UserVersionStaleError):
            async with world.begin() as tx:
                await change(tx)
    assert (world.user(user), world.facts()) == (user, [])


async def test_a_granted_role_carries_the_sessions_over(world: World) -> None:
    user = world.person()
    signed = await signed_in(world, user)
    for _ in range(2):
        async with world.begin() as tx:
            await grant_role(GrantRole(user_id=user.id, role=Role.OPS), tx)
    assert world.user(user).roles == {Role.USER, Role.OPS}
    assert world.rows.sessions[signed.session_id].token_version == world.user(user).token_version == 1
    assert world.alive() == {signed.session_id}
    assert world.facts() == ["SessionStarted", "UserRolesChanged"]
    assert world.events() == [SecurityEvent.SIGNED_IN, SecurityEvent.ROLES_CHANGED]


async def test_a_withdrawn_role_ends_the_sessions(world: World) -> None:
    user = world.person(roles=frozenset({Role.USER, Role.OPS}))
    await signed_in(world, user)
    for _ in range(2):
        async with world.begin() as tx:
            await withdraw_role(WithdrawRole(user_id=user.id, role=Role.OPS), tx)
    assert (world.user(user).roles, world.alive()) == ({Role.USER}, set())
    assert world.facts() == ["SessionStarted", "SessionRevoked", "UserRolesChanged"]


async def test_nobody_has_roles(world: World) -> None:
    async with world.begin() as tx:
        with pytest.raises(UserNotFoundError):
            await grant_role(GrantRole(user_id=UserId(uuid4()), role=Role.OPS), tx)


async def test_nothing_is_left_of_an_account(world: World) -> None:
    user, other, third = world.person(password_hash="new:words"), world.person(), world.person()
    await signed_in(world, user)
    async with world.begin() as tx:
        await tx.passwords.remember(user.id, "new:words", tx.now)
        await follow_person(FollowPerson(user_id=other.id, other_id=user.id), tx)
        await send_friend_request(SendFriendRequest(user_id=third.id, other_id=user.id, message=""), tx)
    async with world.begin() as tx:
        await delete_user(DeleteUser(user_id=user.id), tx)
    gone = world.user(user)
    assert (gone.deleted_at, gone.password_hash) == (world.clock.now(), None)
    assert (world.alive(), world.rows.passwords, world.rows.networks) == (set(), {}, {})
    assert not world.rows.relations[RelationKind.FOLLOW, other.id, user.id].active
    assert [each.status for each in world.rows.requests.values()] != ["pending"]
    assert next(iter(world.rows.sessions.values())).revoked is RevocationReason.USER_DELETED
    assert world.facts()[-2:] == ["SessionRevoked", "UserDeleted"]
    assert world.events()[-1] is SecurityEvent.USER_DELETED
