"""Change the caller's own profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.user import User
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProfile:
    """``versions`` are those the caller read (``If-Match``); None takes whatever is there."""

    user_id: UserId
    changes: Mapping[str, str | None]
    versions: frozenset[int] | None = None


async def change_profile(command: ChangeProfile, tx: Tx) -> User:
    """Raises ``UserVersionStaleError``, ``UsernameTakenError`` or what is wrong with a value."""
    before = await tx.users.lock(command.user_id)
    users.require_version(before, command.versions)
    after, changed = users.change_profile(before, command.changes, tx.now)
    if changed:
        await tx.users.save(after)
        tx.events.add(changed)
    return after
