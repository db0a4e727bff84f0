"""Show by a code that an e-mail address is one's own. The first time every other session ends (AUTH-12)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from auth.domain.ids import SessionId, UserId
from auth.domain.otp import OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.user import User
from auth.usecases.check_otp import CheckOtp, check_otp
from auth.usecases.consume_otp import ConsumeOtp, consume_otp
from auth.usecases.ports import Tools
from auth.usecases.prove_contact import ProveContact, prove_contact


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmail:
    user_id: UserId
    session_id: SessionId
    otp: OtpGuess


async def verify_email(command: VerifyEmail, tools: Tools) -> User:
    """Raises ``OtpRefusedError``, also for a code of another person or another address."""
    otp = await check_otp(CheckOtp(guess=command.otp, purpose=OtpPurpose.EMAIL_VERIFICATION), tools)
    async with tools.begin() as tx:
        user = await tx.users.lock(command.user_id)
        address_hash = tools.secrets.destination_hash(user.email or "")
        if not hmac.compare_digest(otp.destination_hash, address_hash):
            raise OtpRefusedError(pointer="/otp/code")
        await consume_otp(ConsumeOtp(otp=otp, owner=user), tx)
        return await prove_contact(ProveContact(user=user, channel=otp.channel, signed_in=command.session_id), tx)
