"""Cards: what a message shows of something another service owns, as far as its events have told.

A card follows its source: the newest event wins, whatever order they come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from kernel.errors import DomainError, Kind


class EntityType(StrEnum):
    ORDER = "order"
    PRODUCT = "product"
    EVENT = "event"
    TRANSFER = "transfer"
    SHOP = "shop"


# Where a content of this type names what its card shows.
NAMED_BY: Final[Mapping[str, tuple[EntityType, str]]] = {
    "order": (EntityType.ORDER, "order_id"),
    "product": (EntityType.PRODUCT, "product_id"),
    "event": (EntityType.EVENT, "event_id"),
    "payment": (EntityType.TRANSFER, "transfer_id"),
}
# Everybody may show these; of the others only who is a party.
PUBLIC: Final = frozenset({EntityType.PRODUCT, EntityType.EVENT})


class CardUnknownError(DomainError):
    """It does not exist, or is not the sender's to show: the two look the same."""

    code, kind = "messaging.card.unknown", Kind.INVALID
    title = "What the card should show is not known, or not yours to show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Something another service owns, as its events tell. ``state`` is what cards show: no personal data."""

    type: EntityType
    id: UUID
    version: int
    state: Mapping[str, Any]
    parties: tuple[UUID, ...] = ()

    def told(self, newer: Entity) -> Entity:
        """As it is after ``newer`` too, which says only what it knows."""
        return replace(newer, state={**self.state, **newer.state}, parties=newer.parties or self.parties)

    def shown(self) -> dict[str, Any]:
        return {**self.state, "entity_type": self.type.value, "entity_id": self.id}


def newest(told: Iterable[Entity]) -> list[Entity]:
    """Each entity once, as all that is told of it says."""
    merged: dict[tuple[EntityType, UUID], Entity] = {}
    for each in sorted(told, key=lambda entity: entity.version):
        place = (each.type, each.id)
        merged[place] = merged[place].told(each) if place in merged else each
    return list(merged.values())
