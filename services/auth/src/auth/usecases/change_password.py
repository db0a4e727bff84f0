"""Set a new password: by somebody who knows the old one, or who received a reset code.

Invariants: every other session and every waiting code ends with the old password, in the same transaction; the last
five passwords are refused. Hashing happens before the transaction, which then looks whether the person changed what
they sign in with meanwhile (AUTH-4). A reset shows that the address or number is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import SessionId, UserId
from auth.domain.otp import OtpPurpose, OtpRefusedError
from auth.domain.password import HISTORY_COUNT, PasswordUsedBeforeError, checked_password, normalised
from auth.domain.security_log import Act
from auth.domain.session import InvalidCredentialsError, RevocationReason, SignInMethod
from auth.domain.user import User, UserNotFoundError, UserVersionStaleError
from auth.usecases.check_otp import OtpGuess, check_otp, consume_otp
from auth.usecases.ports import Tools, Tx
from auth.usecases.prove_contact import prove_contact
from auth.usecases.revoke_sessions import end_sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    user_id: UserId
    session_id: SessionId
    current_password: str | None
    new_password: str
    ip: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    otp: OtpGuess
    new_password: str
    ip: str | None


async def change_password(cmd: ChangePassword, tools: Tools) -> None:
    """Raises ``InvalidCredentialsError`` for a wrong old password, or what is wrong with the new one."""
    attempt = await tools.attempts.reserve(str(cmd.user_id), SignInMethod.PASSWORD, cmd.ip, cmd.user_id)
    user, recent = await _read(cmd.user_id, tools)
    if not await tools.hasher.verify(user.password_hash, normalised(cmd.current_password or "")):
        await tools.attempts.failed(attempt, user.id)
        raise InvalidCredentialsError(pointer="/current_password")
    await tools.attempts.succeeded(attempt, user.id)
    password_hash = await _hashed(user, recent, cmd.new_password, tools)
    async with tools.begin() as tx:
        after = await _store(await _unchanged(user, tx), password_hash, tx, tools)
        if not await tx.sessions.is_alive(cmd.session_id):
            raise InvalidCredentialsError(pointer="/current_password")
        await tx.sessions.rebase(cmd.session_id, after.token_version)
        await _forget_networks(user.id, cmd.ip, tx, tools)
        await end_sessions(user.id, RevocationReason.PASSWORD_CHANGED, tx, tools, keep=cmd.session_id)
        await tx.audit.write(Act.PASSWORD_CHANGED, now=tools.clock.now(), user_id=user.id, ip=cmd.ip)


async def reset_password(cmd: ResetPassword, tools: Tools) -> None:
    """Raises ``OtpRefusedError`` or what is wrong with the new password; then the code may be tried again."""
    otp = await check_otp(cmd.otp, OtpPurpose.PASSWORD_RESET, tools)
    if otp.user_id is None:
        raise OtpRefusedError(pointer="/otp/code")
    try:
        user, recent = await _read(otp.user_id, tools)
    except UserNotFoundError:
        raise OtpRefusedError(pointer="/otp/code") from None
    if not otp.holds_for(user.token_version):
        raise OtpRefusedError(pointer="/otp/code")
    if not users.is_proved(user, otp.channel):
        recent = []  # of whoever registered the address, which this proves for the first time
    password_hash = await _hashed(user, recent, cmd.new_password, tools)
    async with tools.begin() as tx:
        locked = await _unchanged(user, tx)
        await consume_otp(otp, tx, tools, of=locked)
        proved = await prove_contact(locked, otp.channel, tx, tools)
        await _store(proved, password_hash, tx, tools)
        await _forget_networks(user.id, cmd.ip, tx, tools)
        await end_sessions(user.id, RevocationReason.PASSWORD_CHANGED, tx, tools)
        await tx.audit.write(Act.PASSWORD_RESET, now=tools.clock.now(), user_id=user.id, ip=cmd.ip)


async def _read(user_id: UserId, tools: Tools) -> tuple[User, list[str]]:
    async with tools.begin() as tx:
        user = await tx.users.find(user_id)
        if user is None:
            raise UserNotFoundError
        return user, await tx.passwords.recent(user_id, HISTORY_COUNT)


async def _hashed(user: User, recent: list[str], new_password: str, tools: Tools) -> str:
    password = checked_password(
        new_password,
        common=tools.common_passwords,
        own_words=(user.name, user.email, user.phone_e164, user.username),
        pointer="/new_password",
    )
    for old_hash in recent:
        if await tools.hasher.verify(old_hash, password):
            raise PasswordUsedBeforeError(pointer="/new_password")
    return await tools.hasher.hash(password)


async def _unchanged(before: User, tx: Tx) -> User:
    """Locked. Raises ``UserVersionStaleError`` when the person signs in otherwise than when the hash was made."""
    user = await tx.users.lock(before.id)
    if (user.password_hash, user.token_version) != (before.password_hash, before.token_version):
        raise UserVersionStaleError("The password or the sessions were changed at the same moment.")
    return user


async def _store(locked: User, password_hash: str, tx: Tx, tools: Tools) -> User:
    after = users.set_password(locked, password_hash)
    await tx.users.save(after)
    await tx.passwords.remember(locked.id, password_hash, tools.clock.now())
    return after


async def _forget_networks(user_id: UserId, ip: str | None, tx: Tx, tools: Tools) -> None:
    """All but the one at hand: a new password is there because somebody may have known the old one."""
    await tx.networks.forget(user_id)
    await tx.networks.remember(user_id, ip, tools.clock.now())
