"""Somebody proved an address that a stranger may have registered before them: what the stranger left to act in their
name ends. What the account holds (dialogs, bots, messages) stays.

END-2: of what acts in a person's name, nothing was made under an epoch before the highest that is known here. The first
to come with a higher one, auth's event or a token, ends what is there; whoever comes with a lower one makes nothing.
Who makes something holds the epoch until the commit: none of it is committed behind the ending.
"""

from __future__ import annotations

from uuid import UUID

from messaging.core.adapters.access_store import (
    access_epoch,
    end_bot_access,
    keep_access_epoch,
    lock_access,
    share_access,
)
from messaging.core.adapters.ending_store import end_invites_of, end_own_acts
from messaging.core.adapters.transaction import MessagingTx


async def reset_access(user_id: UUID, epoch: int, tx: MessagingTx) -> None:
    """Tokens and webhooks of bots, scheduled messages, invites and requests to join from before ``epoch``, which is 0
    where it is not told. The owner may make others; told twice it is the same.
    """
    await lock_access(tx.conn, user_id)
    known = await access_epoch(tx.conn, user_id)
    if 0 < epoch <= known:
        return
    await end_bot_access(tx.conn, user_id)
    await end_own_acts(tx.conn, user_id)
    await end_invites_of(tx.conn, user_id, tx.now)
    await keep_access_epoch(tx.conn, user_id, max(epoch, known))


async def hold_access(user_id: UUID, epoch: int | None, tx: MessagingTx) -> bool:
    """Whether somebody who came with this epoch still acts for the person; if so they do until the commit.

    None, of a token that says no epoch: as long as its session is not revoked, which the caller has asked.
    """
    if epoch is not None and epoch > await access_epoch(tx.conn, user_id):
        await reset_access(user_id, epoch, tx)
    await share_access(tx.conn, user_id)
    return epoch is None or epoch >= await access_epoch(tx.conn, user_id)
