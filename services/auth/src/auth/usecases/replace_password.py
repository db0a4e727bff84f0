"""Give a person another password, and forget where they signed in from.

All but the network at hand: a new password is there because somebody may have known the old one.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.user import User
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacePassword:
    """``user`` is locked."""

    user: User
    password_hash: str
    ip: str | None


async def replace_password(command: ReplacePassword, tx: Tx) -> User:
    """The person with it; sessions and codes of the version before are over (AUTH-4)."""
    user = users.set_password(command.user, command.password_hash)
    await tx.users.save(user)
    await tx.passwords.remember(user.id, command.password_hash, tx.now)
    await tx.networks.forget(user.id)
    await tx.networks.remember(user.id, command.ip, tx.now)
    return user
