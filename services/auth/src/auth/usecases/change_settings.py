"""Change the caller's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.user import User
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """``changes`` are fields of ``Settings``; ``versions`` are those the caller read, None takes whatever is there."""

    user_id: UserId
    changes: Mapping[str, object]
    versions: frozenset[int] | None = None


async def change_settings(command: ChangeSettings, tx: Tx) -> User:
    """Raises ``UserVersionStaleError`` or what is wrong with a value."""
    before = await tx.users.lock(command.user_id)
    users.require_version(before, command.versions)
    after, changed = users.change_settings(before, before.settings.with_changes(**command.changes), tx.now)
    if after != before:
        await tx.users.save(after)
    facts = (changed, users.privacy_changed(before, after, tx.now))
    tx.events.add(*(each for each in facts if each is not None))
    return after
