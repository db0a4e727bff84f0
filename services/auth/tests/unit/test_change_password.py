"""A new password, by who knows the old one and by who received a code: every branch, on fakes."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from auth.domain.contact import Contact
from auth.domain.ids import SessionId, UserId
from auth.domain.otp import OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.password import PasswordTooShortError, PasswordUsedBeforeError
from auth.domain.security_log import SecurityEvent
from auth.domain.session import InvalidCredentialsError, Origin, SignInMethod
from auth.domain.user import User, UserNotFoundError, UserVersionStaleError
from auth.usecases.change_password import ChangePassword, change_password
from auth.usecases.open_session import OpenSession, open_session
from auth.usecases.reset_password import ResetPassword, reset_password
from auth_testing.world import World

OLD, NEW = "words of mine", "other words of mine"


@pytest.fixture
def user(world: World) -> User:
    made = world.person(password_hash=f"new:{OLD}", email_verified_at=world.clock.now())
    world.rows.passwords[made.id] = [f"new:{OLD}"]
    world.rows.networks[made.id] = {"192.0.2.1", "203.0.113.7"}
    return made


async def signed_in(world: World, user: User) -> SessionId:
    opening = OpenSession(user=user, method=SignInMethod.PASSWORD, origin=Origin(ip="192.0.2.1"))
    async with world.begin() as tx:
        return (await open_session(opening, tx, world.tools.issuer)).session_id


async def change(
    world: World, user_id: UserId, session_id: SessionId, current: str | None = OLD, new: str = NEW
) -> None:
    command = ChangePassword(
        user_id=user_id, session_id=session_id, current_password=current, new_password=new, ip="192.0.2.1"
    )
    await change_password(command, world.tools)


async def reset(world: World, guess: OtpGuess, new: str = NEW) -> None:
    await reset_password(ResetPassword(otp=guess, new_password=new, ip="192.0.2.1"), world.tools)


def code(world: World, user: User) -> OtpGuess:
    return world.code(Contact(email=user.email), OtpPurpose.PASSWORD_RESET, user)


async def test_a_change_keeps_the_session_at_hand_alone(world: World, user: User) -> None:
    mine, _ = await signed_in(world, user), await signed_in(world, user)
    await change(world, user.id, mine)
    after = world.user(user)
    assert (after.password_hash, world.rows.passwords[user.id][-1]) == (f"new:{NEW}", f"new:{NEW}")
    assert (world.alive(), world.rows.sessions[mine].token_version) == ({mine}, after.token_version)
    assert world.rows.networks == {user.id: {"192.0.2.1"}}
    assert (world.attempts.outcomes, world.events()[-1]) == (["succeeded"], SecurityEvent.PASSWORD_CHANGED)


@pytest.mark.parametrize("current", ["not it", None])
async def test_a_wrong_old_password(world: World, user: User, current: str | None) -> None:
    with pytest.raises(InvalidCredentialsError):
        await change(world, user.id, await signed_in(world, user), current)
    assert (world.user(user), world.attempts.outcomes) == (user, ["failed"])


@pytest.mark.parametrize(("new", "error"), [(OLD, PasswordUsedBeforeError), ("short", PasswordTooShortError)])
async def test_a_new_password_that_may_not_be(world: World, user: User, new: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await change(world, user.id, await signed_in(world, user), new=new)
    with pytest.raises(error):
        await reset(world, code(world, user), new)
    assert world.user(user) == user


async def test_nobody_has_a_password_to_change(world: World) -> None:
    with pytest.raises(UserNotFoundError):
        await change(world, UserId(uuid4()), SessionId(uuid4()))


async def test_a_session_that_ended_meanwhile_changes_nothing(world: World, user: User) -> None:
    with pytest.raises(InvalidCredentialsError):
        await change(world, user.id, SessionId(uuid4()))
    assert world.user(user) == user


async def test_a_person_who_signs_in_otherwise_meanwhile(world: World, user: User) -> None:
    mine = await signed_in(world, user)

    def interrupt() -> None:
        world.rows.users[user.id] = replace(user, token_version=1)

    world.interruptions = [lambda: None, interrupt]
    with pytest.raises(UserVersionStaleError):
        await change(world, user.id, mine)


async def test_a_reset_ends_every_session(world: World, user: User) -> None:
    await signed_in(world, user)
    guess = code(world, user)
    await reset(world, guess)
    assert (world.user(user).password_hash, world.alive()) == (f"new:{NEW}", set())
    assert world.events()[-1] is SecurityEvent.PASSWORD_RESET
    with pytest.raises(OtpRefusedError):
        await reset(world, guess, "still other words")


async def test_a_reset_that_proves_the_address_looks_at_no_stranger_s_passwords(world: World, user: User) -> None:
    world.rows.users[user.id] = unproved = replace(user, email_verified_at=None)
    await reset(world, code(world, unproved), OLD)
    assert world.user(user).email_verified_at == world.clock.now()
    assert world.rows.passwords[user.id] == [f"new:{OLD}"]
    assert "UserAccessReset" in world.facts()


@pytest.mark.parametrize("whose", ["nobody's", "of somebody who left", "from before a change"])
async def test_codes_that_reset_nothing(world: World, user: User, whose: str) -> None:
    gone = world.person(deleted_at=world.clock.now())
    guess = {
        "nobody's": world.code(Contact(email="x@example.com"), OtpPurpose.PASSWORD_RESET),
        "of somebody who left": code(world, gone),
        "from before a change": code(world, replace(user, token_version=7)),
    }[whose]
    with pytest.raises(OtpRefusedError):
        await reset(world, guess)
    assert world.user(user) == user
