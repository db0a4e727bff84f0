"""Let somebody make what acts in their name later only with a session that still speaks for them."""

from __future__ import annotations

from uuid import UUID

from chassis.tokens import TokenRevokedError
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.reset_access import reset_access


async def hold_access(user_id: UUID, epoch: int | None, tx: Tx) -> None:
    """Who came with this epoch acts for the person until the commit. Raises ``TokenRevokedError`` for an ended one.

    Before anything else is locked, so that no two wait for each other. None, of a token that says no epoch: as long as
    its session is not revoked, which the caller has asked.
    """
    if epoch is not None and epoch > await tx.access.epoch(user_id):
        await reset_access(user_id, epoch, tx)
    await tx.access.share(user_id)
    if epoch is not None and epoch < await tx.access.epoch(user_id):
        raise TokenRevokedError("the session of this token was signed out")
