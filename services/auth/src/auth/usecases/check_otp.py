"""Compare a code with the one that was sent.

Invariant AUTH-6: a guess is counted in a transaction of its own, *before* it is compared, so neither a refusal
nor fifty guesses at once give a sixth.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from auth.domain.otp import Otp, OtpGuess, OtpPurpose, OtpRefusedError
from auth.usecases.ports import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOtp:
    guess: OtpGuess
    purpose: OtpPurpose


async def check_otp(command: CheckOtp, tools: Tools) -> Otp:
    """The code it matches, not yet used up. Raises ``OtpRefusedError``."""
    guess = command.guess
    async with tools.begin() as tx:
        otp = await tx.otps.guess(guess.otp_id, tx.now)
    given = tools.secrets.code_hash(guess.otp_id, guess.code)
    if otp is None or otp.purpose is not command.purpose or not hmac.compare_digest(given, otp.code_hash):
        raise OtpRefusedError(pointer="/otp/code")
    return otp
