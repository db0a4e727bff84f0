"""End a poll: closed by somebody, or because its time is over."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.poll import Poll
from messaging.polls.usecases.announce_poll import announce_poll
from messaging.polls.usecases.ports import Tx


async def end_poll(dialog: Dialog, poll: Poll, user_id: UUID | None, tx: Tx) -> None:
    """The dialog is locked. One that is closed stays as it is. ``user_id``: who ends it; None: nobody does."""
    if await tx.polls.close(poll, tx.now):
        await announce_poll(dialog, poll, user_id, tx)
