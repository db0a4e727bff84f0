"""The index of searchable messages: blind terms by message, and the stretches a search looks into.

Invariant: the index holds no text, and an entry whose message is gone is harmless, for readers look at the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

_PUT: Final = """
    WITH fresh AS (
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::integer[], $5::bigint[], $6::text[])
            AS t (dialog_id, seq, created_at, version, stretch, terms)
    ), entries AS (
        INSERT INTO search_entry (dialog_id, seq, created_at, version, terms)
        SELECT dialog_id, seq, created_at, version, terms::tsvector FROM fresh ORDER BY dialog_id, seq
        ON CONFLICT (dialog_id, seq, created_at) DO UPDATE SET version = excluded.version, terms = excluded.terms
        WHERE search_entry.version <= excluded.version
    )
    INSERT INTO search_stretch AS s (dialog_id, stretch, first_at, last_at)
    SELECT dialog_id, stretch, min(created_at), max(created_at) FROM fresh
    GROUP BY dialog_id, stretch ORDER BY dialog_id, stretch
    ON CONFLICT (dialog_id, stretch) DO UPDATE
    SET first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)
    WHERE excluded.first_at < s.first_at OR excluded.last_at > s.last_at
"""
_REMOVE: Final = """
    DELETE FROM search_entry USING unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)
    WHERE search_entry.dialog_id = t.dialog_id AND search_entry.seq = t.seq
"""
_STRETCHES: Final = """
    SELECT dialog_id, stretch, first_at, last_at FROM search_stretch
    WHERE dialog_id = ANY($1) AND ($2::timestamptz IS NULL OR last_at >= $2)
      AND ($3::timestamptz IS NULL OR first_at <= $3)
    ORDER BY last_at DESC, dialog_id DESC, stretch DESC LIMIT $4
"""
# The casts keep the planner from walking the primary key: it cannot know how few rows a blind term has.
_CANDIDATES: Final = """
    SELECT p.n, e.seq, e.created_at
    FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[])
         WITH ORDINALITY AS p (dialog_id, first_at, last_at, from_seq, below_seq, condition, n)
    CROSS JOIN LATERAL (
        SELECT seq, created_at FROM search_entry
        WHERE terms @@ p.condition::tsquery AND created_at BETWEEN p.first_at AND p.last_at
          AND dialog_id::text = p.dialog_id::text AND seq >= p.from_seq AND seq < p.below_seq
        ORDER BY seq DESC LIMIT $7
    ) AS e
"""
_HIDDEN: Final = """
    SELECT dialog_id, seq FROM hidden_message JOIN unnest($2::uuid[], $3::bigint[]) AS t (dialog_id, seq)
        USING (dialog_id, seq) WHERE user_id = $1
"""
STRETCHES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it is found. ``terms``: the text of a ``tsvector``."""

    dialog_id: UUID
    seq: int
    created_at: datetime
    version: int
    stretch: int
    terms: str


@dataclass(frozen=True, slots=True)
class Found:
    """A message that the index offers."""

    dialog_id: UUID
    seq: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Probe:
    """One look into a stretch: entries from ``from_seq`` and below ``below_seq`` that answer ``condition``."""

    dialog_id: UUID
    first_at: datetime
    last_at: datetime
    from_seq: int
    below_seq: int
    condition: str


class SearchStore:
    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn

    async def put_entries(self, entries: Sequence[Entry]) -> None:
        """An older version never replaces a newer one."""
        if entries:
            await self._conn.execute(
                _PUT,
                [each.dialog_id for each in entries],
                [each.seq for each in entries],
                [each.created_at for each in entries],
                [each.version for each in entries],
                [each.stretch for each in entries],
                [each.terms for each in entries],
            )

    async def remove_entries(self, messages: Sequence[tuple[UUID, int]]) -> None:
        if messages:
            await self._conn.execute(_REMOVE, [each[0] for each in messages], [each[1] for each in messages])

    async def stretches_of(
        self, dialog_ids: Sequence[UUID], since: datetime | None, until: datetime | None
    ) -> list[asyncpg.Record]:
        """Stretches of these dialogs with messages in that time, the latest first."""
        return list(await self._conn.fetch(_STRETCHES, list(dialog_ids), since, until, STRETCHES_MAX))

    async def candidates_in(self, probes: Sequence[Probe], limit: int) -> list[list[Found]]:
        """For each probe its newest candidates, at most ``limit``."""
        rows = await self._conn.fetch(
            _CANDIDATES,
            [each.dialog_id for each in probes],
            [each.first_at for each in probes],
            [each.last_at for each in probes],
            [each.from_seq for each in probes],
            [each.below_seq for each in probes],
            [each.condition for each in probes],
            limit,
        )
        found: list[list[Found]] = [[] for _ in probes]
        for row in rows:
            n = row["n"] - 1
            found[n].append(Found(probes[n].dialog_id, row["seq"], row["created_at"]))
        return found

    async def hidden_among(self, viewer_id: UUID, messages: Sequence[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
        """Those that the viewer deleted for themselves."""
        rows = await self._conn.fetch(
            _HIDDEN, viewer_id, [each[0] for each in messages], [each[1] for each in messages]
        )
        return {(row["dialog_id"], row["seq"]) for row in rows}
