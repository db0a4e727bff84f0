"""Entities changed at their owners: keep the copies, change every card that shows them, and who is in their dialogs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kernel.correlation import InFlow, same_flow
from messaging.core.domain.cards import Entity, newest
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.usecases.follow_parties import follow_parties
from messaging.core.usecases.ports import Tx

# A product shown in very many dialogs changes on the cards when they are read; not all of them are told.
TOLD_MAX: Final = 500


async def follow_entities(news: Iterable[Entity], tx: Tx, in_flow: InFlow = same_flow) -> list[Entity]:
    """Those of which the news was new, each as it is now. ``in_flow`` by their ids."""
    kept = await tx.entities.upsert(newest(news), tx.now)
    if not kept:
        return []
    showing = await tx.entities.messages_showing(kept, TOLD_MAX)
    about = await tx.dialogs.about_many(MAIN_WORKSPACE, [(each.type.value, each.id) for each in kept])
    dialogs = await tx.stream.lock_many({*(dialog_id for _, dialog_id, _ in showing), *about.values()})
    topics = [(each, about.get((each.type.value, each.id))) for each in kept]
    await follow_parties([(dialogs[at], each) for each, at in topics if at is not None], tx, in_flow)
    for entity, dialog_id, seq in showing:
        dialog = dialogs.get(dialog_id)
        if dialog is not None:
            with in_flow(entity.id):
                tx.stream.change(dialog, "card.changed", message_seq=seq, payload={"card": entity.shown()})
    return kept
