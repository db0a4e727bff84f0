"""Copies of what cards show, and which messages show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from messaging.adapters import rendering
from messaging.domain.cards import Entity, EntityType

_KEEP: Final = """
    INSERT INTO entity (entity_type, entity_id, version, state, parties, changed_at)
    VALUES ($1, $2, $3, $4::text::jsonb, $5, $6)
    ON CONFLICT (entity_type, entity_id) DO UPDATE SET
        version = excluded.version, state = entity.state || excluded.state, changed_at = excluded.changed_at,
        parties = CASE WHEN excluded.parties = '{}' THEN entity.parties ELSE excluded.parties END
    WHERE entity.version < excluded.version
    RETURNING version, state, parties
"""
_SHOWN: Final = """
    SELECT t.dialog_id, t.seq, e.entity_type, e.entity_id, e.version, e.state, e.parties
    FROM unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)
    JOIN card c ON c.dialog_id = t.dialog_id AND c.seq = t.seq
    JOIN entity e ON e.entity_type = c.entity_type AND e.entity_id = c.entity_id
"""


async def keep_entity(conn: asyncpg.Connection[Any], entity: Entity, now: datetime) -> Entity | None:
    """The entity as it is now; None when what is told is old."""
    row = await conn.fetchrow(
        _KEEP,
        *(entity.type.value, entity.id, entity.version, rendering.to_json(entity.state).decode()),
        *(list(entity.parties), now),
    )
    if row is None:
        return None
    return Entity(
        type=entity.type, id=entity.id, version=row["version"], state=row["state"], parties=tuple(row["parties"])
    )


async def find_entities(
    conn: asyncpg.Connection[Any], wanted: Iterable[tuple[EntityType, UUID]]
) -> dict[tuple[EntityType, UUID], Entity]:
    pairs = list(set(wanted))
    if not pairs:
        return {}
    rows = await conn.fetch(
        "SELECT e.* FROM unnest($1::text[], $2::uuid[]) AS t (entity_type, entity_id) "
        "JOIN entity e USING (entity_type, entity_id)",
        *([each[0].value for each in pairs], [each[1] for each in pairs]),
    )
    return {(each.type, each.id): each for each in map(_of, rows)}


async def tie_cards(conn: asyncpg.Connection[Any], cards: Sequence[tuple[EntityType, UUID, UUID, int]]) -> None:
    """(type, id, dialog, seq): the message shows it from now on."""
    await conn.executemany(
        "INSERT INTO card (entity_type, entity_id, dialog_id, seq) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [(each[0].value, *each[1:]) for each in cards],
    )


async def messages_showing(conn: asyncpg.Connection[Any], entity: Entity) -> list[tuple[UUID, int]]:
    """(dialog, seq) of every message with a card of it."""
    rows = await conn.fetch(
        "SELECT dialog_id, seq FROM card WHERE entity_type = $1 AND entity_id = $2 ORDER BY dialog_id, seq",
        *(entity.type.value, entity.id),
    )
    return [(row["dialog_id"], row["seq"]) for row in rows]


async def shown_cards(
    conn: asyncpg.Connection[Any], keys: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], dict[str, Any]]:
    """Cards by message, as they are now."""
    rows = await conn.fetch(_SHOWN, [each[0] for each in keys], [each[1] for each in keys])
    return {(row["dialog_id"], row["seq"]): _of(row).shown() for row in rows}


def _of(row: asyncpg.Record) -> Entity:
    return Entity(
        type=EntityType(row["entity_type"]),
        id=row["entity_id"],
        version=row["version"],
        state=row["state"],
        parties=tuple(row["parties"]),
    )
