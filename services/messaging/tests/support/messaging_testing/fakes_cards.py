"""The ports of cards in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.cards.domain.payment import RequestedTransfer
from messaging.core.domain.cards import Entity
from messaging_testing.fakes_core import FakeDialogs, FakeEntities, FakeTx


@dataclass
class FakePayments:
    requested: list[RequestedTransfer] = field(default_factory=list)

    def transfer_requested(self, transfer: RequestedTransfer, at: datetime) -> None:
        del at
        self.requested.append(transfer)


class FakeCardEntities(FakeEntities):
    async def upsert(self, entities: Sequence[Entity], now: datetime) -> list[Entity]:
        del now
        fresh = [each for each in entities if each.version > self._version(each)]
        self.by_key |= {(each.type, each.id): each for each in fresh}
        return fresh

    async def messages_showing(self, entities: Sequence[Entity], limit: int) -> list[tuple[Entity, UUID, int]]:
        found = {(each.type, each.id): each for each in entities}
        return [(found[kind, key], at, seq) for kind, key, at, seq in self.cards if (kind, key) in found][:limit]

    def _version(self, entity: Entity) -> int:
        known = self.by_key.get((entity.type, entity.id))
        return 0 if known is None else known.version


class FakeCardDialogs(FakeDialogs):
    """None of them is about an entity."""

    async def about_many(self, workspace_id: UUID, entities: Sequence[tuple[str, UUID]]) -> dict[Any, UUID]:
        del workspace_id, entities
        return {}


class FakeCardsTx(FakeTx):
    def __init__(self) -> None:
        super().__init__()
        self.entities = FakeCardEntities()
        self.dialogs = FakeCardDialogs(self)
        self.payments = FakePayments()
