"""Sign in by a code that was sent to the person's phone or address, which proves that it is theirs."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.otp import Otp, OtpPurpose, OtpRefusedError
from auth.domain.session import SignInMethod
from auth.domain.user import User, UserNotFoundError
from auth.usecases.check_otp import OtpGuess, check_otp, consume_otp
from auth.usecases.open_session import open_session
from auth.usecases.ports import Origin, Signed, Tools, Tx
from auth.usecases.prove_contact import prove_contact


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWithOtp:
    otp: OtpGuess
    origin: Origin


async def sign_in_with_otp(cmd: SignInWithOtp, tools: Tools) -> Signed:
    """Raises ``OtpRefusedError`` or ``TooManyAttemptsError``."""
    attempt = await tools.attempts.reserve(str(cmd.otp.otp_id), SignInMethod.OTP, cmd.origin.ip)
    try:
        otp, user_id = await _matched(cmd.otp, tools)
    except OtpRefusedError:
        await tools.attempts.failed(attempt, None)
        raise
    async with tools.begin() as tx:
        user = await _existing(user_id, tx)
        await consume_otp(otp, tx, tools, of=user)
        user = await prove_contact(user, otp.channel, tx, tools)
        signed = await open_session(user, SignInMethod.OTP, cmd.origin, tx, tools)
    await tools.attempts.succeeded(attempt, user.id)
    return signed


async def _matched(guess: OtpGuess, tools: Tools) -> tuple[Otp, UserId]:
    """The code and whose it is; a code kept for nobody matches nothing."""
    otp = await check_otp(guess, OtpPurpose.SIGN_IN, tools)
    if otp.user_id is None:
        raise OtpRefusedError(pointer="/otp/code")
    return otp, otp.user_id


async def _existing(user_id: UserId, tx: Tx) -> User:
    try:
        return await tx.users.lock(user_id)
    except UserNotFoundError:
        raise OtpRefusedError(pointer="/otp/code") from None
