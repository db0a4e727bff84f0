"""Sign up: a new person, signed in on the device at hand.

A phone number is proved by a code first. An e-mail address may be; otherwise a code to verify it is sent along.
The password is hashed before the transaction opens, so that no connection waits for it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from auth.domain import user as users
from auth.domain.ids import OtpId, UserId
from auth.domain.otp import Otp, OtpPurpose, OtpRefusedError
from auth.domain.password import PasswordMissingError, checked_password
from auth.domain.security_log import Act
from auth.domain.session import SignInMethod
from auth.domain.settings import first_settings
from auth.domain.user import User
from auth.usecases.check_otp import OtpGuess, check_otp, consume_otp
from auth.usecases.open_session import open_session
from auth.usecases.ports import Contact, Origin, Signed, Tools, Tx
from auth.usecases.request_otp import issue_otp
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


async def register_user(cmd: RegisterUser, tools: Tools) -> Registered:
    """Raises ``EmailTakenError``, ``PhoneTakenError``, ``OtpRefusedError`` or what is wrong with name and password."""
    contact = cmd.contact
    if contact.email and cmd.password is None:
        raise PasswordMissingError(pointer="/password")
    settings = first_settings(cmd.country, cmd.locale, cmd.time_zone)
    name = users.checked_name(cmd.name)
    password = cmd.password and checked_password(
        cmd.password, common=tools.common_passwords, own_words=(name, contact.email, contact.phone_e164)
    )
    otp = await _proof(cmd, tools)
    password_hash = await tools.hasher.hash(password) if password else None
    user, registered = users.register(
        user_id=UserId(uuid7()),
        email=contact.email,
        phone_e164=contact.phone_e164,
        name=name,
        country=cmd.country,
        settings=settings,
        password_hash=password_hash,
        phone_verified=contact.phone_e164 is not None,
        now=tools.clock.now(),
    )
    if otp and contact.email:
        user = replace(user, email_verified_at=user.registered_at)
        registered = replace(registered, user=user)
    async with tools.begin() as tx:
        if otp:
            await consume_otp(otp, tx, tools)
        await _add(user, cmd.origin, tx, tools)
        tx.events.add(registered)
        method = SignInMethod.PASSWORD if contact.email else SignInMethod.OTP
        signed = await open_session(user, method, cmd.origin, tx, tools)
        verification = None if otp or not contact.email else await _send_verification(user, tx, tools)
    return Registered(signed=signed, email_verification_id=verification)


async def _proof(cmd: RegisterUser, tools: Tools) -> Otp | None:
    """The code that proves the contact; demanded for a phone number."""
    if cmd.otp is None:
        if cmd.contact.phone_e164:
            raise OtpRefusedError("A phone number is proved by a code: POST /v1/otp first.", pointer="/otp")
        return None
    otp = await check_otp(cmd.otp, OtpPurpose.SIGN_UP, tools)
    if not hmac.compare_digest(otp.destination_hash, tools.secrets.destination_hash(cmd.contact.value)):
        raise OtpRefusedError(pointer="/otp/code")
    return otp


async def _add(user: User, origin: Origin, tx: Tx, tools: Tools) -> None:
    now = tools.clock.now()
    await tx.users.add(user)
    if user.password_hash:
        await tx.passwords.remember(user.id, user.password_hash, now)
    await tx.audit.write(Act.SIGNED_UP, now=now, user_id=user.id, ip=origin.ip)


async def _send_verification(user: User, tx: Tx, tools: Tools) -> OtpId:
    return await issue_otp(
        Contact(email=user.email),
        OtpPurpose.EMAIL_VERIFICATION,
        user=user,
        locale=user.settings.locale,
        send=True,
        tx=tx,
        tools=tools,
    )
