"""The index of searchable messages: blind terms by message, and the stretches a search looks into.

Invariant: the index holds no text, and an entry whose message is gone is harmless, for readers look at the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Connection, OnConnection
from kernel.rows import columns_of, object_of
from messaging.core.adapters.message_reads import MessageRows, content_of
from messaging.search.domain.index import Entry, FilledStretch, Found, Place, Probe, ReadableMessage
from sealing import PersonKeys

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
_DIALOGS_BELOW: Final = """
    SELECT dialog_id FROM dialog WHERE dialog_id < $1 AND ($2::uuid IS NULL OR dialog_id = $2)
    ORDER BY dialog_id DESC LIMIT $3
"""
_SEQS_AFTER: Final = """
    SELECT seq FROM message m JOIN dialog d USING (dialog_id)
    WHERE m.dialog_id = $1 AND m.seq > $2 AND m.seq >= d.oldest_seq AND m.content IS NOT NULL ORDER BY m.seq LIMIT $3
"""
STRETCHES_MAX: Final = 20_000


class SearchRows(OnConnection):
    """What is looked for in the index; it opens no message."""

    async def stretches_of(
        self, dialog_ids: Sequence[UUID], since: datetime | None, until: datetime | None
    ) -> list[FilledStretch]:
        """Stretches of these dialogs with messages in that time, the latest first."""
        rows = await self._conn.fetch(_STRETCHES, list(dialog_ids), since, until, STRETCHES_MAX)
        return [object_of(FilledStretch, row) for row in rows]

    async def candidates_in(self, probes: Sequence[Probe], limit: int) -> list[list[Found]]:
        """For each probe its newest candidates, at most ``limit``."""
        rows = await self._conn.fetch(
            _CANDIDATES,
            *columns_of(probes, "dialog_id", "first_at", "last_at", "from_seq", "below_seq", "condition"),
            limit,
        )
        found: list[list[Found]] = [[] for _ in probes]
        for row in rows:
            n = row["n"] - 1
            found[n].append(Found(probes[n].dialog_id, row["seq"], row["created_at"]))
        return found

    async def hidden_among(self, viewer_id: UUID, messages: Sequence[Place]) -> set[Place]:
        """Those that the viewer deleted for themselves."""
        rows = await self._conn.fetch(
            _HIDDEN, viewer_id, [each[0] for each in messages], [each[1] for each in messages]
        )
        return {(row["dialog_id"], row["seq"]) for row in rows}


class SearchStore:
    def __init__(self, conn: Connection, keys: PersonKeys) -> None:
        self._conn = conn
        self._keys = keys

    async def readable(self, messages: Sequence[Place]) -> list[ReadableMessage]:
        """Those of these messages that can be read now, as they are now, by dialog and seq."""
        rows = await MessageRows(self._conn).messages_at(messages)
        await self._keys.load(self._conn, {row["sender_id"] for row in rows.values()})
        opened = [(row, content_of(self._keys, row)) for _, row in sorted(rows.items())]
        return [
            object_of(ReadableMessage, row, kind=row["type"], content=content)
            for row, content in opened
            if content is not None
        ]

    async def put(self, entries: Sequence[Entry]) -> None:
        """An older version never replaces a newer one."""
        if entries:
            await self._conn.execute(
                _PUT, *columns_of(entries, "dialog_id", "seq", "created_at", "version", "stretch", "terms")
            )

    async def remove(self, messages: Sequence[Place]) -> None:
        if messages:
            await self._conn.execute(_REMOVE, [each[0] for each in messages], [each[1] for each in messages])

    async def dialogs_below(self, below: UUID, only: UUID | None, limit: int) -> list[UUID]:
        """Newest first. ``only``: this one, if it is among them."""
        return [row["dialog_id"] for row in await self._conn.fetch(_DIALOGS_BELOW, below, only, limit)]

    async def seqs_after(self, dialog_id: UUID, after_seq: int, limit: int) -> list[int]:
        """Of messages that are there and say something, in order."""
        return [row["seq"] for row in await self._conn.fetch(_SEQS_AFTER, dialog_id, after_seq, limit)]
