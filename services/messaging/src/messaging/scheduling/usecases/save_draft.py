"""Keep what somebody has begun to write, or throw it away."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.dialog import require_present
from messaging.core.usecases.discard_draft import discard_draft
from messaging.scheduling.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft:
    """An empty text throws the draft away."""

    dialog_id: UUID
    user_id: UUID
    text: str
    reply_to_seq: int | None = None


async def save_draft(command: SaveDraft, tx: Tx) -> int:
    """The draft's version; 0 when there never was one. The account's stream says that it changed, not what it says."""
    user_id, dialog_id = command.user_id, command.dialog_id
    require_present(await tx.dialogs.find_member(dialog_id, user_id, held=True))
    if not command.text.strip():
        discarded = await discard_draft(dialog_id, user_id, tx)
        return await tx.drafts.version(user_id, dialog_id) if discarded is None else discarded
    await tx.sealer.ready([user_id])
    sealed = tx.sealer.encrypt(user_id, command.text.encode())
    version = await tx.drafts.upsert(user_id, dialog_id, sealed, command.reply_to_seq, tx.now)
    payload = {"version": version, "thrown_away": False}
    tx.accounts.change(user_id, "draft.changed", dialog_id=dialog_id, payload=payload)
    return version
