"""Set a new password, by somebody who received a reset code, which shows that the address or number is theirs.

Invariants: as of ``change_password``; every session ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.otp import Otp, OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.password import HISTORY_COUNT
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason
from auth.domain.user import User
from auth.usecases.check_otp import CheckOtp, check_otp
from auth.usecases.consume_otp import ConsumeOtp, consume_otp
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.hash_new_password import HashNewPassword, hash_new_password
from auth.usecases.ports import Tools
from auth.usecases.prove_contact import ProveContact, prove_contact
from auth.usecases.replace_password import ReplacePassword, replace_password


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    otp: OtpGuess
    new_password: str
    ip: str | None


async def reset_password(command: ResetPassword, tools: Tools) -> None:
    """Raises ``OtpRefusedError`` or what is wrong with the new password; then the code may be tried again."""
    otp = await check_otp(CheckOtp(guess=command.otp, purpose=OtpPurpose.PASSWORD_RESET), tools)
    user, recent = await _owner(otp, tools)
    new = HashNewPassword(user=user, recent=recent, new_password=command.new_password)
    password_hash = await hash_new_password(new, tools)
    async with tools.begin() as tx:
        locked = await tx.users.lock(user.id)
        users.require_same_credentials(user, locked)
        await consume_otp(ConsumeOtp(otp=otp, owner=locked), tx)
        proved = await prove_contact(ProveContact(user=locked, channel=otp.channel), tx)
        await replace_password(ReplacePassword(user=proved, password_hash=password_hash, ip=command.ip), tx)
        await end_sessions(EndSessions(user_id=user.id, reason=RevocationReason.PASSWORD_CHANGED), tx)
        await tx.security_log.write(SecurityEvent.PASSWORD_RESET, user_id=user.id, ip=command.ip)


async def _owner(otp: Otp, tools: Tools) -> tuple[User, list[str]]:
    """Whose code it is, and hashes of passwords that they had. Raises ``OtpRefusedError`` for a code of no account."""
    if otp.user_id is None:
        raise OtpRefusedError(pointer="/otp/code")
    async with tools.begin() as tx:
        user = await tx.users.find(otp.user_id)
        recent = await tx.passwords.recent(otp.user_id, HISTORY_COUNT)
    if user is None or not users.holds_code(user, otp):
        raise OtpRefusedError(pointer="/otp/code")
    # Those of whoever registered an address that this proves for the first time are not the person's.
    return user, recent if users.is_proved(user, otp.channel) else []
