"""Set a new password, by somebody who knows the old one.

Invariants: every other session and every waiting code ends with the old password, in the same transaction; the last
five passwords are refused. Hashing happens before the transaction, which then looks whether the person changed what
they sign in with meanwhile (AUTH-4).
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import SessionId, UserId
from auth.domain.password import HISTORY_COUNT, normalised
from auth.domain.security_log import SecurityEvent
from auth.domain.session import InvalidCredentialsError, RevocationReason, SignInMethod
from auth.domain.user import UserNotFoundError
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.hash_new_password import HashNewPassword, hash_new_password
from auth.usecases.ports import Tools
from auth.usecases.replace_password import ReplacePassword, replace_password


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    user_id: UserId
    session_id: SessionId
    current_password: str | None
    new_password: str
    ip: str | None


async def change_password(command: ChangePassword, tools: Tools) -> None:
    """Raises ``InvalidCredentialsError`` for a wrong old password, or what is wrong with the new one."""
    user_id, ip = command.user_id, command.ip
    attempt = await tools.attempts.reserve(str(user_id), SignInMethod.PASSWORD, ip, user_id)
    async with tools.begin() as tx:
        user = await tx.users.find(user_id)
        recent = await tx.passwords.recent(user_id, HISTORY_COUNT)
    if user is None:
        raise UserNotFoundError
    if not await tools.hasher.verify(user.password_hash, normalised(command.current_password or "")):
        await tools.attempts.failed(attempt, user_id)
        raise InvalidCredentialsError(pointer="/current_password")
    await tools.attempts.succeeded(attempt, user_id)
    new = HashNewPassword(user=user, recent=recent, new_password=command.new_password)
    password_hash = await hash_new_password(new, tools)
    async with tools.begin() as tx:
        locked = await tx.users.lock(user_id)
        users.require_same_credentials(user, locked)
        after = await replace_password(ReplacePassword(user=locked, password_hash=password_hash, ip=ip), tx)
        if not await tx.sessions.is_alive(command.session_id):
            raise InvalidCredentialsError(pointer="/current_password")
        await tx.sessions.rebase(command.session_id, after.token_version)
        reason = RevocationReason.PASSWORD_CHANGED
        await end_sessions(EndSessions(user_id=user_id, reason=reason, keep=command.session_id), tx)
        await tx.security_log.write(SecurityEvent.PASSWORD_CHANGED, user_id=user_id, ip=ip)
