"""Show that an e-mail address is one's own."""

from __future__ import annotations

import hmac

from auth.domain.delays import TooManyAttemptsError
from auth.domain.ids import OtpId, SessionId, UserId
from auth.domain.otp import OtpPurpose, OtpRefusedError
from auth.domain.user import ContactMissingError, User
from auth.usecases.check_otp import OtpGuess, check_otp, consume_otp
from auth.usecases.ports import Contact, Tools
from auth.usecases.prove_contact import prove_contact
from auth.usecases.request_otp import issue_otp


async def request_email_verification(user_id: UserId, ip: str | None, tools: Tools) -> OtpId:
    """Raises ``ContactMissingError`` for a person without an address, and what the limits say."""
    async with tools.begin() as tx:
        user = await tx.users.find(user_id)
    if user is None or user.email is None:
        raise ContactMissingError("There is no e-mail address to verify.")
    contact = Contact(email=user.email)
    await tools.send_limits.check_own(user_id, ip)
    if not await tools.send_limits.check_budget(contact):
        raise TooManyAttemptsError(retry_after_s=3600)
    async with tools.begin() as tx:
        return await issue_otp(
            contact,
            OtpPurpose.EMAIL_VERIFICATION,
            user=user,
            locale=user.settings.locale,
            send=True,
            tx=tx,
            tools=tools,
        )


async def verify_email(user_id: UserId, session_id: SessionId, guess: OtpGuess, tools: Tools) -> User:
    """The first time every other session ends (AUTH-12).

    Raises ``OtpRefusedError``, also for a code of another person or another address.
    """
    otp = await check_otp(guess, OtpPurpose.EMAIL_VERIFICATION, tools)
    async with tools.begin() as tx:
        before = await tx.users.lock(user_id)
        address_hash = tools.secrets.destination_hash(before.email or "")
        if not hmac.compare_digest(otp.destination_hash, address_hash):
            raise OtpRefusedError(pointer="/otp/code")
        await consume_otp(otp, tx, tools, of=before)
        return await prove_contact(before, otp.channel, tx, tools, signed_in=session_id)
