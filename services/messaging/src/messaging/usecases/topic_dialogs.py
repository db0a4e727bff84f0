"""The dialog of an order: the buyer and the seller get it when the order is placed, with a card that follows it."""

from __future__ import annotations

from uuid import UUID

from kernel.ids import uuid7
from messaging.adapters.announcements import dialog_created
from messaging.adapters.dialog_store import NewDialog, add_dialog
from messaging.adapters.entity_store import tie_cards
from messaging.adapters.transaction import MessagingTx
from messaging.domain.cards import Entity
from messaging.domain.dialog import DialogKind
from messaging.domain.ids import MAIN_WORKSPACE
from messaging.domain.permissions import Role
from messaging.domain.stream import NewMessage
from messaging.usecases.seating import seat

MEMBERS_MAX = 50


async def open_topic(entity: Entity, title: str, tx: MessagingTx) -> UUID | None:
    """The dialog's id; None when the entity has one already."""
    dialog = await add_dialog(
        tx.conn,
        NewDialog(
            dialog_id=uuid7(),
            workspace_id=MAIN_WORKSPACE,
            kind=DialogKind.TOPIC,
            members_max=MEMBERS_MAX,
            title=title,
            entity_type=entity.type.value,
            entity_id=entity.id,
        ),
        tx.now,
    )
    if dialog is None:
        return None
    tx.stream.created(dialog)
    dialog_created(tx.outbox, dialog, None, tx.now)
    await seat(dialog, [(each, Role.MEMBER) for each in dict.fromkeys(entity.parties)], None, tx)
    content = {"type": entity.type.value, f"{entity.type.value}_id": str(entity.id), "text": ""}
    message = NewMessage(sender_id=None, type=entity.type.value, content=content)
    seq, _ = tx.stream.post(dialog, message, {"card": entity.shown()})
    await tie_cards(tx.conn, [(entity.type, entity.id, dialog.dialog_id, seq)])
    return dialog.dialog_id
