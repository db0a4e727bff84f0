"""Signing up and in, by password and by code: every branch, on fakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from auth.domain.contact import Contact
from auth.domain.ids import OtpId
from auth.domain.otp import OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.password import PasswordMissingError, PasswordTooCommonError
from auth.domain.security_log import SecurityEvent
from auth.domain.session import InvalidCredentialsError, Origin
from auth.domain.user import NameRefusedError, User
from auth.usecases.open_session import Signed
from auth.usecases.register_user import Registered, RegisterUser, register_user
from auth.usecases.sign_in_with_otp import SignInWithOtp, sign_in_with_otp
from auth.usecases.sign_in_with_password import SignInWithPassword, sign_in_with_password
from auth_testing.world import World
from kernel.country import Country

EMAIL, PHONE = Contact(email="mai@example.com"), Contact(phone_e164="+66812345678")
PASSWORD, OLD, NEW = "words of mine", "old:words of mine", "new:words of mine"
HERE = Origin(ip="192.0.2.1")


async def sign_up(world: World, **fields: Any) -> Registered:
    values: dict[str, Any] = {
        "contact": EMAIL,
        "otp": None,
        "password": PASSWORD,
        "name": "Mai Linh",
        "country": Country.VN,
        "locale": None,
        "time_zone": None,
        "origin": HERE,
    }
    return await register_user(RegisterUser(**values | fields), world.tools)


async def sign_in(world: World, user: User, password: str = PASSWORD) -> Signed:
    contact = Contact(email=user.email)
    return await sign_in_with_password(SignInWithPassword(contact=contact, password=password, origin=HERE), world.tools)


async def by_code(world: World, guess: OtpGuess) -> Signed:
    return await sign_in_with_otp(SignInWithOtp(otp=guess, origin=HERE), world.tools)


async def test_by_address_without_a_proof_one_is_asked_for(world: World) -> None:
    registered = await sign_up(world)
    user = registered.signed.user
    assert (user.password_hash, user.email_verified_at) == (NEW, None)
    assert world.rows.passwords == {user.id: [NEW]}
    assert registered.email_verification_id in world.rows.otps
    assert world.facts() == ["UserRegistered", "SessionStarted", "OtpIssued"]
    assert world.events() == [SecurityEvent.SIGNED_UP, SecurityEvent.SIGNED_IN]


async def test_by_address_with_a_proof_none_is_asked_for(world: World) -> None:
    registered = await sign_up(world, otp=world.code(EMAIL, OtpPurpose.SIGN_UP))
    assert registered.signed.user.email_verified_at == world.clock.now()
    assert registered.email_verification_id is None
    assert world.facts() == ["UserRegistered", "SessionStarted"]


async def test_by_number_a_proof_is_demanded_and_a_password_is_not(world: World) -> None:
    with pytest.raises(OtpRefusedError):
        await sign_up(world, contact=PHONE, password=None)
    registered = await sign_up(world, contact=PHONE, password=None, otp=world.code(PHONE, OtpPurpose.SIGN_UP))
    assert registered.signed.user.phone_verified_at == world.clock.now()
    assert (registered.email_verification_id, world.rows.passwords) == (None, {})


async def test_a_proof_of_something_else_is_none(world: World) -> None:
    with pytest.raises(OtpRefusedError):
        await sign_up(world, otp=world.code(PHONE, OtpPurpose.SIGN_UP))
    guess = world.code(EMAIL, OtpPurpose.SIGN_UP)
    await sign_up(world, otp=guess)
    with pytest.raises(OtpRefusedError):
        await sign_up(world, otp=guess)
    assert len(world.rows.users) == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"password": None}, PasswordMissingError),
        ({"password": "password1"}, PasswordTooCommonError),
        ({"password": "Mai Linh 1"}, PasswordTooCommonError),
        ({"name": "x"}, NameRefusedError),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_kept(
    world: World, fields: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await sign_up(world, **fields)
    assert (world.rows.users, world.facts()) == ({}, [])


async def test_the_right_password(world: World) -> None:
    user = world.person(password_hash=NEW)
    assert (await sign_in(world, user)).user == user
    assert world.attempts.outcomes == ["succeeded"]


@pytest.mark.parametrize("who", ["nobody", "wrong", "has none"])
async def test_one_answer_for_all_that_does_not_match(world: World, who: str) -> None:
    user = world.person(password_hash=None if who == "has none" else NEW)
    if who == "nobody":
        world.rows.users.clear()
    with pytest.raises(InvalidCredentialsError):
        await sign_in(world, user, "not it" if who == "wrong" else PASSWORD)
    assert (world.attempts.outcomes, world.alive()) == (["failed"], set())


async def test_an_outdated_hash_is_made_anew(world: World) -> None:
    user = world.person(password_hash=OLD)
    await sign_in(world, user)
    assert world.user(user).password_hash == NEW
    assert world.user(user).version == user.version


async def test_somebody_who_leaves_while_the_password_is_verified(world: World) -> None:
    user = world.person(password_hash=NEW)
    world.interruptions = [lambda: None, world.rows.users.clear]
    with pytest.raises(InvalidCredentialsError):
        await sign_in(world, user)


@pytest.mark.parametrize("raised", [True, False])
async def test_a_hash_that_changes_while_the_password_is_verified(world: World, *, raised: bool) -> None:
    """Another sign-in hashed it anew; or the password was changed, which raises the token version."""
    user = world.person(password_hash=OLD)
    other = replace(user, password_hash=f"new:{PASSWORD}", token_version=int(raised))

    def change() -> None:
        world.rows.users[user.id] = replace(other, password_hash="new:another" if raised else NEW)

    world.interruptions = [lambda: None, change]
    if raised:
        with pytest.raises(InvalidCredentialsError):
            await sign_in(world, user)
    else:
        assert (await sign_in(world, user)).user.password_hash == NEW


async def test_an_owner_who_proves_the_address_while_a_strangers_password_is_verified(world: World) -> None:
    user = world.person(password_hash=NEW)

    def prove() -> None:
        world.rows.users[user.id] = replace(user, password_hash=None, token_version=1)

    world.interruptions = [lambda: None, prove]
    with pytest.raises(InvalidCredentialsError):
        await sign_in(world, user)
    assert world.alive() == set()


async def test_a_hash_that_changes_otherwise_is_verified_once_more(world: World) -> None:
    user = world.person(password_hash=NEW)

    def change() -> None:
        world.rows.users[user.id] = replace(user, password_hash=OLD)

    world.interruptions = [lambda: None, change]
    assert (await sign_in(world, user)).user.password_hash == NEW


async def test_a_code_signs_in_and_proves_the_address(world: World) -> None:
    user = world.person(password_hash=NEW)
    await sign_in(world, user)
    await by_code(world, world.code(Contact(email=user.email), OtpPurpose.SIGN_IN, user))
    after = world.user(user)
    assert (after.password_hash, after.access_epoch, after.email_verified_at) == (None, 1, world.clock.now())
    assert len(world.alive()) == 1
    assert world.facts() == [
        "SessionStarted",
        "UserProfileChanged",
        "UserAccessReset",
        "SessionRevoked",
        "SessionStarted",
    ]
    assert SecurityEvent.EMAIL_VERIFIED in world.events()


async def test_a_code_proves_a_number(world: World) -> None:
    user = world.person(email=None, phone_e164=PHONE.phone_e164)
    await by_code(world, world.code(PHONE, OtpPurpose.SIGN_IN, user))
    assert world.user(user).phone_verified_at == world.clock.now()
    assert SecurityEvent.PHONE_VERIFIED in world.events()


@pytest.mark.parametrize("code", ["unknown", "of nobody", "of somebody who left"])
async def test_codes_that_open_nothing(world: World, code: str) -> None:
    gone = world.person(deleted_at=world.clock.now())
    guess = {
        "unknown": OtpGuess(otp_id=OtpId(uuid4()), code="123456"),
        "of nobody": world.code(EMAIL, OtpPurpose.SIGN_IN),
        "of somebody who left": world.code(EMAIL, OtpPurpose.SIGN_IN, gone),
    }[code]
    with pytest.raises(OtpRefusedError):
        await by_code(world, guess)
    assert world.attempts.outcomes == ([] if code == "of somebody who left" else ["failed"])
    assert world.alive() == set()
