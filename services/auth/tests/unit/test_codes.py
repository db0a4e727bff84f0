"""One-time codes: sent, guessed, used up, and what a first proof ends; on fakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auth.domain.contact import Contact
from auth.domain.delays import TooManyAttemptsError
from auth.domain.otp import ENDINGS_UNPROVED_MAX, LIFETIME, OtpGuess, OtpIssued, OtpPurpose, OtpRefusedError
from auth.domain.security_log import SecurityEvent
from auth.domain.session import Origin, SignInMethod
from auth.domain.user import ContactMissingError, User
from auth.usecases.check_otp import CheckOtp, check_otp
from auth.usecases.consume_otp import ConsumeOtp, consume_otp
from auth.usecases.open_session import OpenSession, Signed, open_session
from auth.usecases.request_email_verification import RequestEmailVerification, request_email_verification
from auth.usecases.request_otp import RequestOtp, request_otp
from auth.usecases.verify_email import VerifyEmail, verify_email
from auth_testing.world import World

NOBODY = Contact(email="nobody@example.com")
PHONE = Contact(phone_e164="+66812345678")


def of(user: User) -> Contact:
    return Contact(email=user.email)


def sent(world: World) -> list[OtpIssued]:
    return [each for each in world.rows.facts if isinstance(each, OtpIssued)]


async def request(world: World, contact: Contact, purpose: OtpPurpose) -> OtpGuess:
    command = RequestOtp(contact=contact, purpose=purpose, locale="th-TH", ip=None)
    otp_id = await request_otp(command, world.tools)
    return OtpGuess(otp_id=otp_id, code=sent(world)[-1].code if sent(world) else "000000")


async def signed_in(world: World, user: User) -> Signed:
    opening = OpenSession(user=user, method=SignInMethod.PASSWORD, origin=Origin(ip=None))
    async with world.begin() as tx:
        return await open_session(opening, tx, world.tools.issuer)


async def check(world: World, guess: OtpGuess, purpose: OtpPurpose = OtpPurpose.SIGN_IN) -> None:
    await check_otp(CheckOtp(guess=guess, purpose=purpose), world.tools)


async def test_a_known_person_is_sent_a_code_in_their_language(world: World) -> None:
    user = world.person()
    guess = await request(world, of(user), OtpPurpose.SIGN_IN)
    (issued,) = sent(world)
    assert (issued.destination, issued.locale, len(issued.code)) == (user.email, user.settings.locale, 6)
    assert world.rows.otps[guess.otp_id].otp.user_id == user.id
    assert world.send_limits.checked == [user.id]
    await check(world, guess)


@pytest.mark.parametrize("purpose", [OtpPurpose.SIGN_IN, OtpPurpose.PASSWORD_RESET])
async def test_for_nobody_a_code_is_kept_that_is_not_sent(world: World, purpose: OtpPurpose) -> None:
    guess = await request(world, NOBODY, purpose)
    assert (sent(world), world.rows.otps[guess.otp_id].otp.user_id) == ([], None)
    assert world.send_limits.checked == [None]


async def test_who_signs_up_is_sent_one_in_the_language_asked_for(world: World) -> None:
    await request(world, PHONE, OtpPurpose.SIGN_UP)
    assert [(each.channel, each.locale) for each in sent(world)] == [("sms", "th-TH")]


async def test_without_budget_nothing_is_sent_and_nobody_is_told(world: World) -> None:
    world.send_limits.budget_left = False
    await request(world, of(world.person()), OtpPurpose.SIGN_IN)
    assert (sent(world), len(world.rows.otps)) == ([], 1)


async def test_a_guess_counts_although_it_is_refused(world: World) -> None:
    guess = world.code(NOBODY, OtpPurpose.SIGN_IN)
    for _ in range(5):
        with pytest.raises(OtpRefusedError):
            await check(world, replace(guess, code="not it"))
    with pytest.raises(OtpRefusedError):
        await check(world, guess)
    assert world.rows.otps[guess.otp_id].guesses == 5


async def test_a_code_for_something_else_and_one_that_is_late(world: World) -> None:
    guess = world.code(NOBODY, OtpPurpose.SIGN_IN)
    with pytest.raises(OtpRefusedError):
        await check(world, guess, OtpPurpose.PASSWORD_RESET)
    world.clock.advance(LIFETIME.total_seconds())
    with pytest.raises(OtpRefusedError):
        await check(world, guess)


@pytest.mark.parametrize("owner", ["nobody yet", "its own", "another person", "after a change", "before the proof"])
async def test_a_code_is_used_up_by_its_owner_alone(world: World, owner: str) -> None:
    user = world.person(email_verified_at=world.clock.now(), token_version=ENDINGS_UNPROVED_MAX)
    otp = world.rows.otps[world.code(of(user), OtpPurpose.SIGN_IN, user).otp_id].otp
    who = {
        "nobody yet": None,
        "its own": user,
        "another person": world.person(),
        "after a change": replace(user, token_version=ENDINGS_UNPROVED_MAX + 1),
        "before the proof": replace(user, token_version=ENDINGS_UNPROVED_MAX + 1, email_verified_at=None),
    }
    async with world.begin() as tx:
        if owner in {"another person", "after a change"}:
            with pytest.raises(OtpRefusedError):
                await consume_otp(ConsumeOtp(otp=otp, owner=who[owner]), tx)
        else:
            await consume_otp(ConsumeOtp(otp=otp, owner=who[owner]), tx)
            with pytest.raises(OtpRefusedError):
                await consume_otp(ConsumeOtp(otp=otp, owner=who[owner]), tx)


async def test_verification_goes_to_ones_own_address(world: World) -> None:
    user = world.person()
    await request_email_verification(RequestEmailVerification(user_id=user.id, ip=None), world.tools)
    assert [(each.destination, each.purpose) for each in sent(world)] == [(user.email, OtpPurpose.EMAIL_VERIFICATION)]
    world.send_limits.budget_left = False
    with pytest.raises(TooManyAttemptsError):
        await request_email_verification(RequestEmailVerification(user_id=user.id, ip=None), world.tools)


async def test_without_an_address_there_is_nothing_to_verify(world: World) -> None:
    user = world.person(email=None, phone_e164="+66812345678")
    with pytest.raises(ContactMissingError):
        await request_email_verification(RequestEmailVerification(user_id=user.id, ip=None), world.tools)


async def test_the_first_proof_from_within_a_session_keeps_it_and_the_password(world: World) -> None:
    user = world.person(password_hash="new:words of mine")
    mine, other = await signed_in(world, user), await signed_in(world, user)
    guess = world.code(of(user), OtpPurpose.EMAIL_VERIFICATION, user)
    command = VerifyEmail(user_id=user.id, session_id=mine.session_id, otp=guess)
    proved = await verify_email(command, world.tools)
    assert (proved.email_verified_at, proved.password_hash) == (world.clock.now(), user.password_hash)
    assert world.alive() == {mine.session_id}
    assert other.session_id not in world.alive()
    assert world.rows.sessions[mine.session_id].token_version == proved.token_version
    assert world.facts()[-2:] == ["UserProfileChanged", "SessionRevoked"]
    assert world.events()[-1] is SecurityEvent.EMAIL_VERIFIED


async def test_a_second_proof_ends_nothing(world: World) -> None:
    user = world.person(email_verified_at=world.clock.now() - timedelta(days=1))
    mine, _ = await signed_in(world, user), await signed_in(world, user)
    guess = world.code(of(user), OtpPurpose.EMAIL_VERIFICATION, user)
    assert await verify_email(VerifyEmail(user_id=user.id, session_id=mine.session_id, otp=guess), world.tools) == user
    assert len(world.alive()) == 2


async def test_a_code_that_was_sent_to_another_address(world: World) -> None:
    user = world.person()
    mine, guess = await signed_in(world, user), world.code(NOBODY, OtpPurpose.EMAIL_VERIFICATION, user)
    with pytest.raises(OtpRefusedError):
        await verify_email(VerifyEmail(user_id=user.id, session_id=mine.session_id, otp=guess), world.tools)
    assert world.user(user) == user
