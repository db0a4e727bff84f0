"""Parked keys: a record the broker refuses waits for an operator, its key's later records behind it.

Everything else goes on. Parked rows leave the outbox, so that the relay's reads do not pass over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from eventing.database import Connection
from eventing.envelope import Row
from eventing.tables import RECORD_COLUMNS
from kernel.rows import rows_affected


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedKey:
    """A key and the record that parked it."""

    topic: str
    key: str
    event_id: UUID
    error: str
    parked_at: datetime
    records: int


async def park(conn: Connection, schema: str, row: Row, error: str) -> None:
    """Park the key of a refused row, and the row."""
    async with conn.transaction():
        await conn.execute(
            f"""INSERT INTO {schema}.outbox_parked_key (topic, key, event_id, error) VALUES ($1, $2, $3, $4)
                ON CONFLICT DO NOTHING""",
            row["topic"],
            row["key"],
            row["event_id"],
            error,
        )
        await park_behind(conn, schema, [row["id"]])


async def park_behind(conn: Connection, schema: str, ids: Sequence[int]) -> None:
    """Move rows of parked keys aside; rows whose key was released meanwhile stay where they are."""
    await conn.execute(
        f"""WITH still AS (
                SELECT k.topic, k.key FROM {schema}.outbox_parked_key k
                WHERE (k.topic, k.key) IN (SELECT topic, key FROM {schema}.outbox WHERE id = ANY($1::bigint[]))
                FOR KEY SHARE
            ), gone AS (
                DELETE FROM {schema}.outbox o USING still
                WHERE o.id = ANY($1::bigint[]) AND o.topic = still.topic AND o.key = still.key
                RETURNING o.*
            )
            INSERT INTO {schema}.outbox_parked (id, {RECORD_COLUMNS}) SELECT id, {RECORD_COLUMNS} FROM gone""",
        list(ids),
    )


async def parked_keys(conn: Connection, schema: str, *, limit: int = 200) -> list[ParkedKey]:
    """Parked keys, the oldest first."""
    rows = await conn.fetch(
        f"""SELECT k.*, (SELECT count(*) FROM {schema}.outbox_parked p WHERE p.topic = k.topic AND p.key = k.key)
                   AS records
            FROM {schema}.outbox_parked_key k ORDER BY parked_at LIMIT $1""",
        limit,
    )
    return [ParkedKey(**dict(row)) for row in rows]


async def release(conn: Connection, schema: str, topic: str, key: str, *, discard: UUID | None = None) -> int:
    """Give a key's rows back to the relay, in their order; ``discard`` drops the one record that is at fault.

    Returns how many rows went back. Wakes no relay: its poll finds them.
    """
    async with conn.transaction():
        await conn.execute(
            f"SELECT FROM {schema}.outbox_parked_key WHERE topic = $1 AND key = $2 FOR UPDATE", topic, key
        )
        if discard is not None:
            await conn.execute(
                f"DELETE FROM {schema}.outbox_parked WHERE topic = $1 AND key = $2 AND event_id = $3",
                topic,
                key,
                discard,
            )
        status = await conn.execute(
            f"""WITH back AS (DELETE FROM {schema}.outbox_parked WHERE topic = $1 AND key = $2 RETURNING *)
                INSERT INTO {schema}.outbox (id, {RECORD_COLUMNS}) SELECT id, {RECORD_COLUMNS} FROM back""",
            topic,
            key,
        )
        await conn.execute(f"DELETE FROM {schema}.outbox_parked_key WHERE topic = $1 AND key = $2", topic, key)
    return rows_affected(status)
