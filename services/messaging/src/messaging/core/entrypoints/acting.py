"""Making what acts in somebody's name later: with a session that still speaks for them only."""

from __future__ import annotations

from chassis.tokens import Principal, TokenRevokedError
from messaging.adapters.transaction import MessagingTx
from messaging.core.usecases.reset_access import hold_access


async def require_access(principal: Principal, tx: MessagingTx) -> None:
    """Raises ``TokenRevokedError``; before anything else is locked, so that no two wait for each other."""
    if not await hold_access(principal.user_id, principal.access_epoch, tx):
        raise TokenRevokedError("the session of this token was signed out")
