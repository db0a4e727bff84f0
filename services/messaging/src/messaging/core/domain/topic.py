"""Dialogs about something another service owns; there is one about each.

An order's: buyer and seller get it when the order is placed, with a card that follows it, and who is in it follows from
the order. A product's: whoever asks first opens it, it belongs to the shop's owner, and it is public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import DialogKind, NewDialog
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.domain.permissions import Role

PARTIES_MAX: Final = 50
PUBLIC_MAX: Final = 1_000
TITLE_CHARS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Topic:
    """What a dialog is to be about, its title, and the people in it from the start."""

    entity: Entity
    title: str
    people: Sequence[tuple[UUID, Role]]

    @classmethod
    def of_parties(cls, entity: Entity, title: str) -> Topic:
        """For the entity's parties."""
        return cls(entity, title, [(each, Role.MEMBER) for each in dict.fromkeys(entity.parties)])

    def new_dialog(self, dialog_id: UUID, created_by: UUID | None) -> NewDialog:
        public = self.entity.type is EntityType.PRODUCT
        return NewDialog(
            dialog_id=dialog_id,
            workspace_id=MAIN_WORKSPACE,
            kind=DialogKind.TOPIC,
            members_max=PUBLIC_MAX if public else PARTIES_MAX,
            title=self.title[:TITLE_CHARS_MAX],
            entity_type=self.entity.type.value,
            entity_id=self.entity.id,
            created_by=created_by,
            is_public=public,
        )
