"""An entity changed at its owner: keep the copy, change every card that shows it, and who is in its dialog."""

from __future__ import annotations

from typing import Final

from messaging.adapters.dialog_store import dialog_about
from messaging.adapters.entity_store import keep_entity, messages_showing
from messaging.adapters.transaction import MessagingTx
from messaging.domain.cards import Entity
from messaging.domain.ids import MAIN_WORKSPACE
from messaging.usecases.topic_dialogs import follow_parties

# A product shown in very many dialogs changes on the cards when they are read; not all of them are told.
TOLD_MAX: Final = 500


async def follow_entity(entity: Entity, tx: MessagingTx) -> Entity | None:
    """The entity as it is now; None when the news was old."""
    kept = await keep_entity(tx.conn, entity, tx.now)
    if kept is None:
        return None
    showing = (await messages_showing(tx.conn, kept))[-TOLD_MAX:]
    about = await dialog_about(tx.conn, MAIN_WORKSPACE, kept.type, kept.id)
    wanted = {dialog_id for dialog_id, _ in showing} | ({about} if about is not None else set())
    dialogs = await tx.stream.lock_many(wanted)
    if about is not None:
        await follow_parties(dialogs[about], kept, tx)
    for dialog_id, seq in showing:
        dialog = dialogs.get(dialog_id)
        if dialog is not None:
            tx.stream.change(dialog, "card.changed", message_seq=seq, payload={"card": kept.shown()})
    return kept
