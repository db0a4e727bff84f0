"""Discard a draft: by its writer, or with its writer's membership."""

from __future__ import annotations

from uuid import UUID

from messaging.core.usecases.ports import Tx


async def discard_draft(dialog_id: UUID, user_id: UUID, tx: Tx) -> int | None:
    """Its version from now on; None when there is no draft."""
    version = await tx.drafts.empty(user_id, dialog_id, tx.now)
    if version is not None:
        tx.accounts.change(
            user_id, "draft.changed", dialog_id=dialog_id, payload={"version": version, "thrown_away": True}
        )
    return version
