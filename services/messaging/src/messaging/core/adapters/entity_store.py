"""Copies of what cards show, and which messages show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.postgres import OnConnection
from kernel.rows import columns_of
from messaging.core.adapters import document_reads
from messaging.core.adapters.unreadable_reads import What, note_unreadable, object_or_none, text_or_none
from messaging.core.domain.cards import Entity, EntityType

_TYPES: Final = frozenset(EntityType)
_UPSERT: Final = """
    INSERT INTO entity (entity_type, entity_id, version, state, parties, changed_at)
    SELECT entity_type, entity_id, version, state::jsonb, string_to_array(parties, ' ')::uuid[], $6::timestamptz
    FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[])
         AS t (entity_type, entity_id, version, state, parties)
    ORDER BY entity_type, entity_id
    ON CONFLICT (entity_type, entity_id) DO UPDATE SET
        version = excluded.version, changed_at = excluded.changed_at,
        state = CASE WHEN jsonb_typeof(entity.state) = 'object' THEN entity.state ELSE '{}' END || excluded.state,
        parties = CASE WHEN excluded.parties = '{}' THEN entity.parties ELSE excluded.parties END
    WHERE entity.version < excluded.version
    RETURNING entity_type, entity_id, version, state, parties
"""
_TIE: Final = """
    INSERT INTO card (entity_type, entity_id, dialog_id, seq)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[]) ON CONFLICT DO NOTHING
"""
_SHOWING: Final = """
    SELECT t.entity_type, t.entity_id, c.dialog_id, c.seq
    FROM unnest($1::text[], $2::uuid[]) AS t (entity_type, entity_id) CROSS JOIN LATERAL (
        SELECT dialog_id, seq FROM card WHERE card.entity_type = t.entity_type AND card.entity_id = t.entity_id
        ORDER BY dialog_id DESC, seq DESC LIMIT $3
    ) AS c
    ORDER BY t.entity_type, t.entity_id, c.dialog_id, c.seq
"""
_SHOWN: Final = """
    SELECT t.dialog_id, t.seq, e.entity_type, e.entity_id, e.version, e.state, e.parties
    FROM unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)
    JOIN card c ON c.dialog_id = t.dialog_id AND c.seq = t.seq
    JOIN entity e ON e.entity_type = c.entity_type AND e.entity_id = c.entity_id
"""


# A shop_id of another shape names no shop.
_OWNER_OF_SHOP: Final = """
    SELECT shop.parties[1] FROM entity product JOIN entity shop ON shop.entity_type = 'shop' AND shop.entity_id = CASE
        WHEN product.state->>'shop_id' ~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'
        THEN (product.state->>'shop_id')::uuid END
    WHERE product.entity_type = 'product' AND product.entity_id = {product}
"""
OWNS_SHOP_OF: Final = f"coalesce({{user}} = ({_OWNER_OF_SHOP}), false)"
"""Whether somebody owns the shop that sells a product; of null instead of a product nobody does."""


class EntityStore(OnConnection):
    async def upsert(self, entities: Sequence[Entity], now: datetime) -> list[Entity]:
        """Those of them of which something new is told, as they are now. Each is given once."""
        if not entities:
            return []
        rows = await self._conn.fetch(
            _UPSERT,
            *columns_of(entities, "type.value", "id", "version"),
            [document_reads.to_json(each.state).decode() for each in entities],
            [" ".join(map(str, each.parties)) for each in entities],
            now,
        )
        return [_of(row) for row in rows]

    async def find(self, wanted: Iterable[tuple[EntityType, UUID]]) -> dict[tuple[EntityType, UUID], Entity]:
        pairs = list(set(wanted))
        if not pairs:
            return {}
        rows = await self._conn.fetch(
            "SELECT e.* FROM unnest($1::text[], $2::uuid[]) AS t (entity_type, entity_id) "
            "JOIN entity e USING (entity_type, entity_id)",
            *([each[0].value for each in pairs], [each[1] for each in pairs]),
        )
        return {(each.type, each.id): each for each in map(_of, rows)}

    def text_of(self, entity: Entity, field: str) -> str | None:
        """A text that its owner always tells, such as its name; None, which is noted, where it cannot be read."""
        return text_or_none(entity.state.get(field), field=field, entity_id=entity.id)

    def shop_id_of(self, product: Entity) -> UUID | None:
        """Whose product it is; None, which is noted, where that cannot be read."""
        told = self.text_of(product, "shop_id")
        try:
            return None if told is None else UUID(told)
        except ValueError:
            note_unreadable(What.FIELD, field="shop_id", entity_id=product.id)
            return None

    async def owner_of_shop_of(self, product_id: UUID) -> UUID | None:
        """Whom the shop belongs to that sells a product, as far as it is known."""
        found: UUID | None = await self._conn.fetchval(_OWNER_OF_SHOP.format(product="$1"), product_id)
        return found

    async def tie_cards(self, cards: Sequence[tuple[EntityType, UUID, UUID, int]]) -> None:
        """(type, id, dialog, seq): the message shows it from now on."""
        if cards:
            kinds, *places = zip(*cards, strict=True)
            await self._conn.execute(_TIE, [kind.value for kind in kinds], *places)

    async def messages_showing(self, entities: Sequence[Entity], limit: int) -> list[tuple[Entity, UUID, int]]:
        """(entity, dialog, seq) of the messages with a card of one of them, for each the latest ``limit``."""
        by_place = {(each.type.value, each.id): each for each in entities}
        rows = await self._conn.fetch(_SHOWING, [each[0] for each in by_place], [each[1] for each in by_place], limit)
        return [(by_place[row["entity_type"], row["entity_id"]], row["dialog_id"], row["seq"]) for row in rows]

    async def shown(self, keys: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], dict[str, Any]]:
        """Cards by message, as they are now."""
        rows = await self._conn.fetch(_SHOWN, [each[0] for each in keys], [each[1] for each in keys])
        return {(row["dialog_id"], row["seq"]): _of(row).shown() for row in rows if _is_known(row)}


def _is_known(row: asyncpg.Record) -> bool:
    """An entity of no type there is has no card."""
    known = row["entity_type"] in _TYPES
    if not known:
        note_unreadable(What.FIELD, field="entity_type", dialog_id=row["dialog_id"], seq=row["seq"])
    return known


def _of(row: asyncpg.Record) -> Entity:
    return Entity(
        type=EntityType(row["entity_type"]),
        id=row["entity_id"],
        version=row["version"],
        state=object_or_none(row["state"], field="state", entity_id=row["entity_id"]) or {},
        parties=tuple(row["parties"]),
    )
