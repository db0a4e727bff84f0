"""Change the caller's own profile or settings, or delete the account.

``versions`` are those the caller read (``If-Match``); None takes whatever is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.security_log import Act
from auth.domain.session import RevocationReason
from auth.domain.settings import Settings
from auth.domain.user import User, UserVersionStaleError
from auth.usecases.ports import Tools, Tx
from auth.usecases.revoke_sessions import end_sessions


async def change_profile(
    user_id: UserId, changes: Mapping[str, str | None], versions: frozenset[int] | None, tx: Tx, tools: Tools
) -> User:
    """Raises ``UserVersionStaleError``, ``UsernameTakenError`` or what is wrong with a value."""
    before = await _locked(user_id, versions, tx)
    after, event = users.change_profile(before, changes, tools.clock.now())
    if event:
        await tx.users.save(after)
        tx.events.add(event)
    return after


async def change_settings(
    user_id: UserId, changes: Mapping[str, object], versions: frozenset[int] | None, tx: Tx, tools: Tools
) -> User:
    """``changes`` are fields of ``Settings``."""
    before = await _locked(user_id, versions, tx)
    settings: Settings = before.settings.with_changes(**changes)  # type: ignore[arg-type]
    after, event = users.change_settings(before, settings, tools.clock.now())
    if after != before:
        await tx.users.save(after)
    told = [event, users.privacy_changed(before, after, tools.clock.now())]
    tx.events.add(*(each for each in told if each is not None))
    return after


async def delete_user(user_id: UserId, versions: frozenset[int] | None, tx: Tx, tools: Tools) -> None:
    """Gone for everybody at once: nothing of theirs signs in, and nothing waits for them or stands between them and
    others. Other services follow ``UserDeleted``, which commits with it.
    """
    before = await _locked(user_id, versions, tx)
    after, event = users.delete(before, tools.clock.now())
    await tx.users.save(after)
    await tx.passwords.forget(user_id)
    await tx.networks.forget(user_id)
    await tx.graph.end_all(user_id, tools.clock.now())
    await end_sessions(user_id, RevocationReason.USER_DELETED, tx, tools)
    await tx.audit.write(Act.USER_DELETED, now=tools.clock.now(), user_id=user_id)
    tx.events.add(event)


async def _locked(user_id: UserId, versions: frozenset[int] | None, tx: Tx) -> User:
    user = await tx.users.lock(user_id)
    if versions is not None and user.version not in versions:
        raise UserVersionStaleError
    return user
