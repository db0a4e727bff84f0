"""Delete the caller's own account.

Gone for everybody at once: nothing of theirs signs in, and nothing waits for them or stands between them and others.
Other services follow ``UserDeleted``, which commits with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUser:
    """``versions`` are those the caller read (``If-Match``); None takes whatever is there."""

    user_id: UserId
    versions: frozenset[int] | None = None


async def delete_user(command: DeleteUser, tx: Tx) -> None:
    """Raises ``UserVersionStaleError`` or ``UserNotFoundError``."""
    user_id = command.user_id
    before = await tx.users.lock(user_id)
    users.require_version(before, command.versions)
    now = tx.now
    after, deleted = users.delete(before, now)
    await tx.users.save(after)
    await tx.passwords.forget(user_id)
    await tx.networks.forget(user_id)
    await tx.relations.end_all(user_id, now)
    await tx.friend_requests.end_all(user_id, now)
    await end_sessions(EndSessions(user_id=user_id, reason=RevocationReason.USER_DELETED), tx)
    await tx.security_log.write(SecurityEvent.USER_DELETED, user_id=user_id)
    tx.events.add(deleted)
