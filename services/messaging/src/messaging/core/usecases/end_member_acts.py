"""End what a membership allowed: invites by link let nobody in, scheduled messages are not sent, drafts go."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog, DialogNotFoundError
from messaging.core.usecases.announce_scheduled import announce_scheduled
from messaging.core.usecases.discard_draft import discard_draft
from messaging.core.usecases.ports import Tx


async def end_member_acts(dialog: Dialog, user_id: UUID, by: UUID | None, tx: Tx) -> None:
    """What they had begun here as a member, or to become one, does not go on."""
    failure = DialogNotFoundError.code
    failed = await tx.endings.end_acts_of_member(dialog.dialog_id, user_id, by=by, now=tx.now, failure_code=failure)
    for scheduled_id in failed:
        announce_scheduled(
            *(user_id, dialog.dialog_id, tx), scheduled_id=scheduled_id, status="failed", failure_code=failure, seq=None
        )
    await discard_draft(dialog.dialog_id, user_id, tx)
