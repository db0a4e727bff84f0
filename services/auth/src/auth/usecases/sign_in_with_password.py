"""Sign in by password.

Invariants: an unknown account costs the same hash as a known one and gets the same answer. The password is
verified between two transactions, so the second one looks again whether it is still the person's password.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.password import LENGTH_MAX, normalised
from auth.domain.session import InvalidCredentialsError, SignInMethod
from auth.domain.user import UserNotFoundError
from auth.usecases.open_session import open_session
from auth.usecases.ports import Contact, Origin, Signed, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWithPassword:
    contact: Contact
    password: str
    origin: Origin


async def sign_in_with_password(cmd: SignInWithPassword, tools: Tools) -> Signed:
    """Raises ``InvalidCredentialsError``, ``TooManyAttemptsError`` or ``HashingBusyError``."""
    attempt = await tools.attempts.reserve(cmd.contact.value, SignInMethod.PASSWORD, cmd.origin.ip)
    async with tools.begin() as tx:
        known = await tx.users.find_by_contact(cmd.contact)
    password = normalised(cmd.password)[: LENGTH_MAX + 1]
    password_hash = known.password_hash if known else None
    matches = await tools.hasher.verify(password_hash, password)
    if known is None or password_hash is None or not matches:
        await tools.attempts.failed(attempt, known.id if known else None)
        raise InvalidCredentialsError
    fresher = await tools.hasher.hash(password) if tools.hasher.is_outdated(password_hash) else None
    try:
        signed = await _open(known.id, password_hash, fresher, cmd.origin, tools)
    except UserNotFoundError:
        raise InvalidCredentialsError from None
    await tools.attempts.succeeded(attempt, known.id)
    return signed


async def _open(user_id: UserId, password_hash: str, fresher: str | None, origin: Origin, tools: Tools) -> Signed:
    async with tools.begin() as tx:
        if fresher:
            await tx.users.rehash(user_id, password_hash, fresher)
        user = await tx.users.share(user_id)
        if user.password_hash not in {password_hash, fresher}:
            raise InvalidCredentialsError
        return await open_session(user, SignInMethod.PASSWORD, origin, tx, tools)
