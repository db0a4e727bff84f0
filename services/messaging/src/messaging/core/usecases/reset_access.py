"""Somebody proved an address that a stranger may have registered before them: what the stranger left to act in their
name ends. What the account holds (dialogs, bots, messages) stays.

END-2: of what acts in a person's name, nothing was made under an epoch before the highest that is known here. The first
to come with a higher one, auth's event or a token, ends what is there; whoever comes with a lower one makes nothing.
Who makes something holds the epoch until the commit: none of it is committed behind the ending.
"""

from __future__ import annotations

from uuid import UUID

from messaging.core.usecases.ports import Tx


async def reset_access(user_id: UUID, epoch: int, tx: Tx) -> None:
    """Tokens and webhooks of bots, scheduled messages, invites and requests to join from before ``epoch``, which is 0
    where it is not told. The owner may make others; told twice it is the same.
    """
    await tx.access.lock(user_id)
    known = await tx.access.epoch(user_id)
    if 0 < epoch <= known:
        return
    await tx.access.end_bot_access(user_id)
    await tx.endings.end_own_acts(user_id)
    await tx.endings.end_invites_of(user_id, tx.now)
    await tx.access.set_epoch(user_id, max(epoch, known))
