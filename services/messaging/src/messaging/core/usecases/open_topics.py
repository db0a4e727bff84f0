"""Open dialogs about what another service owns, each with a card that follows it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from kernel.ids import uuid7
from messaging.core.domain.stream import NewMessage
from messaging.core.domain.topic import Topic
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.ports import Tx


async def open_topics(topics: Sequence[Topic], by: UUID | None, tx: Tx, in_flow: InFlow = same_flow) -> list[UUID]:
    """The dialogs of those topics that had none yet. ``by``: who asked for it. ``in_flow`` by the entities' ids."""
    if not topics:
        return []
    # In the order of the entities: two that open the same ones wait for each other in turn.
    news = {uuid7(): topic for topic in sorted(topics, key=lambda topic: topic.entity.id)}
    made = await tx.dialogs.add_many([topic.new_dialog(each, by) for each, topic in news.items()], tx.now)
    for dialog in made:
        tx.stream.created(dialog)
        with in_flow(dialog.entity_id):
            tx.events.dialog_created(dialog, by, tx.now, about=news[dialog.dialog_id].entity)
    await admit_members([(dialog, news[dialog.dialog_id].people) for dialog in made], by, tx, in_flow)
    cards = []
    for dialog in made:
        entity = news[dialog.dialog_id].entity
        content = {"type": entity.type.value, f"{entity.type.value}_id": str(entity.id), "text": ""}
        message = NewMessage(sender_id=None, type=entity.type.value, content=content)
        with in_flow(entity.id):
            seq, _ = tx.stream.post(dialog, message, {"card": entity.shown()})
        cards.append((entity.type, entity.id, dialog.dialog_id, seq))
    await tx.entities.tie_cards(cards)
    return [dialog.dialog_id for dialog in made]
