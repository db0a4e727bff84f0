"""Compare a code with the one that was sent.

Invariant AUTH-6: a guess is counted in a transaction of its own, *before* it is compared, so neither a refusal
nor fifty guesses at once give a sixth.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from auth.domain.ids import OtpId
from auth.domain.otp import Otp, OtpPurpose, OtpRefusedError
from auth.domain.user import User, is_proved
from auth.usecases.ports import Tools, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpGuess:
    """A code somebody typed."""

    otp_id: OtpId
    code: str


async def check_otp(guess: OtpGuess, purpose: OtpPurpose, tools: Tools) -> Otp:
    """The code it matches, not yet used up. Raises ``OtpRefusedError``."""
    async with tools.begin() as tx:
        otp = await tx.otps.guess(guess.otp_id, tools.clock.now())
    given = tools.secrets.code_hash(guess.otp_id, guess.code)
    if otp is None or otp.purpose is not purpose or not hmac.compare_digest(given, otp.code_hash):
        raise OtpRefusedError(pointer="/otp/code")
    return otp


async def consume_otp(otp: Otp, tx: Tx, tools: Tools, *, of: User | None = None) -> None:
    """Use it up together with what it allowed (AUTH-5); ``of`` is the person, locked, whose code it must still be
    (AUTH-4). Raises ``OtpRefusedError``.
    """
    if of is not None and not holds(otp, of):
        raise OtpRefusedError(pointer="/otp/code")
    if not await tx.otps.consume(otp.id, tools.clock.now()):
        raise OtpRefusedError(pointer="/otp/code")


def holds(otp: Otp, user: User) -> bool:
    """Whether it is the person's code, and nothing they did since has ended it (AUTH-4)."""
    return otp.user_id == user.id and otp.holds_for(user.token_version, proved=is_proved(user, otp.channel))
