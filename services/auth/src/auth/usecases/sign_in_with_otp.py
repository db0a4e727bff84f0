"""Sign in by a code that was sent to the person's phone or address, which proves that it is theirs."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.otp import Otp, OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.session import Origin, SignInMethod
from auth.domain.user import User, UserNotFoundError
from auth.usecases.check_otp import CheckOtp, check_otp
from auth.usecases.consume_otp import ConsumeOtp, consume_otp
from auth.usecases.open_session import OpenSession, Signed, open_session
from auth.usecases.ports import Tools, Tx
from auth.usecases.prove_contact import ProveContact, prove_contact


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWithOtp:
    otp: OtpGuess
    origin: Origin


async def sign_in_with_otp(command: SignInWithOtp, tools: Tools) -> Signed:
    """Raises ``OtpRefusedError`` or ``TooManyAttemptsError``."""
    attempt = await tools.attempts.reserve(str(command.otp.otp_id), SignInMethod.OTP, command.origin.ip)
    try:
        otp, user_id = await _matched(command.otp, tools)
    except OtpRefusedError:
        await tools.attempts.failed(attempt, None)
        raise
    async with tools.begin() as tx:
        user = await _existing(user_id, tx)
        await consume_otp(ConsumeOtp(otp=otp, owner=user), tx)
        user = await prove_contact(ProveContact(user=user, channel=otp.channel), tx)
        opening = OpenSession(user=user, method=SignInMethod.OTP, origin=command.origin)
        signed = await open_session(opening, tx, tools.issuer)
    await tools.attempts.succeeded(attempt, user.id)
    return signed


async def _matched(guess: OtpGuess, tools: Tools) -> tuple[Otp, UserId]:
    """The code and whose it is. Raises ``OtpRefusedError``, also for a code without an account."""
    otp = await check_otp(CheckOtp(guess=guess, purpose=OtpPurpose.SIGN_IN), tools)
    if otp.user_id is None:
        raise OtpRefusedError(pointer="/otp/code")
    return otp, otp.user_id


async def _existing(user_id: UserId, tx: Tx) -> User:
    try:
        return await tx.users.lock(user_id)
    except UserNotFoundError:
        raise OtpRefusedError(pointer="/otp/code") from None
