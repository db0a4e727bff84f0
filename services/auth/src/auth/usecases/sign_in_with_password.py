"""Sign in by password.

Invariants: an unknown account costs the same hash as a known one and gets the same answer. The password is
verified between two transactions, so the second one looks again whether it is still the person's password; one that
was only hashed anew meanwhile is verified once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.contact import Contact
from auth.domain.password import LENGTH_MAX, normalised
from auth.domain.session import InvalidCredentialsError, Origin, SignInMethod
from auth.domain.user import User, UserNotFoundError
from auth.usecases.open_session import OpenSession, Signed, open_session
from auth.usecases.ports import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInWithPassword:
    contact: Contact
    password: str
    origin: Origin


async def sign_in_with_password(command: SignInWithPassword, tools: Tools) -> Signed:
    """Raises ``InvalidCredentialsError``, ``TooManyAttemptsError`` or ``HashingBusyError``."""
    async with tools.begin() as tx:
        known = await tx.users.find_by_contact(command.contact)
    user_id = known.id if known else None
    attempt = await tools.attempts.reserve(command.contact.value, SignInMethod.PASSWORD, command.origin.ip, user_id)
    password = normalised(command.password)[: LENGTH_MAX + 1]
    signed = await _opened(known, password, command.origin, tools)
    if signed is None:
        await tools.attempts.failed(attempt, user_id)
        raise InvalidCredentialsError
    await tools.attempts.succeeded(attempt, signed.user.id)
    return signed


async def _opened(known: User | None, password: str, origin: Origin, tools: Tools) -> Signed | None:
    """None when it is not the person's password, or is no longer."""
    password_hash = known.password_hash if known else None
    matches = await tools.hasher.verify(password_hash, password)
    if known is None or password_hash is None or not matches:
        return None
    fresher = await tools.hasher.hash(password) if tools.hasher.is_outdated(password_hash) else None
    async with tools.begin() as tx:
        if fresher:
            await tx.users.rehash(known.id, password_hash, fresher)
        try:
            user = await tx.users.share(known.id)
        except UserNotFoundError:
            return None
        if user.password_hash is not None and user.password_hash in {password_hash, fresher}:
            opening = OpenSession(user=user, method=SignInMethod.PASSWORD, origin=origin)
            return await open_session(opening, tx, tools.issuer)
    # Another sign-in hashed it anew at the same moment; or it is another password, and then AUTH-4 says so.
    return await _opened(user, password, origin, tools) if user.token_version == known.token_version else None
