"""Tell somebody's devices what became of a message they scheduled."""

from __future__ import annotations

from uuid import UUID

from messaging.core.usecases.ports import Tx


def announce_scheduled(user_id: UUID, dialog_id: UUID, tx: Tx, **change: object) -> None:
    """``change``: fields of the frame. What it says is for nobody but those who fetch it: the stream is not sealed."""
    tx.accounts.change(user_id, "scheduled.changed", dialog_id=dialog_id, payload=change)
