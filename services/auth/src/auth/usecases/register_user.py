"""Sign up: a new person, signed in on the device at hand.

A phone number is proved by a code first. An e-mail address may be; otherwise a code to verify it is sent along.
The password is hashed before the transaction opens, so that no connection waits for it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.contact import Contact
from auth.domain.ids import OtpId, UserId
from auth.domain.otp import Otp, OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.password import PasswordMissingError, checked_password
from auth.domain.security_log import SecurityEvent
from auth.domain.session import Origin, SignInMethod
from auth.domain.settings import first_settings
from auth.domain.user import User
from auth.usecases.check_otp import CheckOtp, check_otp
from auth.usecases.consume_otp import ConsumeOtp, consume_otp
from auth.usecases.issue_otp import IssueOtp, issue_otp
from auth.usecases.open_session import OpenSession, Signed, open_session
from auth.usecases.ports import Tools, Tx
from kernel.country import Country
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUser:
    contact: Contact
    otp: OtpGuess | None
    password: str | None
    name: str
    country: Country
    locale: str | None
    time_zone: str | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """The new person's tokens, and the code that was sent to verify their address, if one was."""

    signed: Signed
    email_verification_id: OtpId | None


async def register_user(command: RegisterUser, tools: Tools) -> Registered:
    """Raises ``EmailTakenError``, ``PhoneTakenError``, ``OtpRefusedError`` or what is wrong with name and password."""
    contact = command.contact
    if contact.email and command.password is None:
        raise PasswordMissingError(pointer="/password")
    settings = first_settings(command.country, command.locale, command.time_zone)
    name = users.checked_name(command.name)
    password = command.password and checked_password(
        command.password, common=tools.common_passwords, own_words=(name, contact.email, contact.phone_e164)
    )
    otp = await _proof(command, tools)
    password_hash = await tools.hasher.hash(password) if password else None
    async with tools.begin() as tx:
        user, registered = users.register(
            user_id=UserId(uuid7()),
            email=contact.email,
            phone_e164=contact.phone_e164,
            name=name,
            country=command.country,
            settings=settings,
            password_hash=password_hash,
            proved=otp is not None,
            now=tx.now,
        )
        if otp:
            await consume_otp(ConsumeOtp(otp=otp, owner=None), tx)
        await _add(user, command.origin, tx)
        tx.events.add(registered)
        method = SignInMethod.PASSWORD if contact.email else SignInMethod.OTP
        opening = OpenSession(user=user, method=method, origin=command.origin)
        signed = await open_session(opening, tx, tools.issuer)
        if otp:
            return Registered(signed=signed, email_verification_id=None)
        issue = IssueOtp(contact=contact, purpose=OtpPurpose.EMAIL_VERIFICATION, user=user, locale=user.settings.locale)
        return Registered(signed=signed, email_verification_id=await issue_otp(issue, tx, tools.secrets))


async def _proof(command: RegisterUser, tools: Tools) -> Otp | None:
    """The code that proves the contact; demanded for a phone number."""
    if command.otp is None:
        if command.contact.phone_e164:
            raise OtpRefusedError("A phone number is proved by a code: POST /v1/otp first.", pointer="/otp")
        return None
    otp = await check_otp(CheckOtp(guess=command.otp, purpose=OtpPurpose.SIGN_UP), tools)
    if not hmac.compare_digest(otp.destination_hash, tools.secrets.destination_hash(command.contact.value)):
        raise OtpRefusedError(pointer="/otp/code")
    return otp


async def _add(user: User, origin: Origin, tx: Tx) -> None:
    await tx.users.add(user)
    if user.password_hash:
        await tx.passwords.remember(user.id, user.password_hash, tx.now)
    await tx.security_log.write(SecurityEvent.SIGNED_UP, user_id=user.id, ip=origin.ip)
