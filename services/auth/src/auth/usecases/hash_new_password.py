"""Hash a new password of somebody who is known, if it may be theirs: it is none of the last five."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auth.domain.password import PasswordUsedBeforeError, checked_password
from auth.domain.user import User
from auth.usecases.ports import Tools

_POINTER = "/new_password"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashNewPassword:
    """``recent``: hashes of passwords the person had."""

    user: User
    recent: Sequence[str]
    new_password: str


async def hash_new_password(command: HashNewPassword, tools: Tools) -> str:
    """Raises what ``checked_password`` raises, ``PasswordUsedBeforeError`` or ``HashingBusyError``."""
    user = command.user
    own_words = (user.name, user.email, user.phone_e164, user.username)
    password = checked_password(
        command.new_password, common=tools.common_passwords, own_words=own_words, pointer=_POINTER
    )
    for old_hash in command.recent:
        if await tools.hasher.verify(old_hash, password):
            raise PasswordUsedBeforeError(pointer=_POINTER)
    return await tools.hasher.hash(password)
