"""Use a code up together with what it allowed (AUTH-5)."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.otp import Otp, OtpRefusedError
from auth.domain.user import User
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumeOtp:
    """``owner`` is the person, locked, whose code it must still be (AUTH-4); None where there is nobody yet."""

    otp: Otp
    owner: User | None


async def consume_otp(command: ConsumeOtp, tx: Tx) -> None:
    """Raises ``OtpRefusedError``."""
    otp, owner = command.otp, command.owner
    valid = owner is None or users.holds_code(owner, otp)
    if not valid or not await tx.otps.consume(otp.id, tx.now):
        raise OtpRefusedError(pointer="/otp/code")
