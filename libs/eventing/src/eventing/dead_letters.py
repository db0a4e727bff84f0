"""Dead letters: records that will not pass, kept whole, and the records of their key that wait behind them.

The table in the service's schema is the truth; each letter is also published to ``private.<service>.dlq.v1`` with its
original bytes and headers, and says whose it is. A letter, its key's block and its inbox claim commit together. Redrive
runs the handlers in the order the records came; a letter's effect and its closing commit together, so a redrive cut
short repeats nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from eventing.database import Connection
from eventing.envelope import pack_headers, unpack_headers
from eventing.metrics import DEAD_LETTERS
from eventing.outbox import Outbox
from eventing.received import Received
from kernel.rows import rows_affected

BEHIND: Final = "behind"
ERROR_CHARS_MAX: Final = 500
_LISTED: Final = (
    "id, consumer, event_id, topic, partition, record_offset, key, type, reason, error, status, attempts, "
    "dead_at, closed_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One record put aside, without its content. ``reason`` is a code; "behind" waits for an earlier one."""

    id: int
    consumer: str
    event_id: UUID
    topic: str
    partition: int
    record_offset: int
    key: bytes | None
    type: str
    reason: str
    error: str
    status: str
    attempts: int
    dead_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a dead letter holds, as it came, and how many letters of its key wait (itself among them)."""

    headers: Sequence[tuple[str, bytes]]
    body: bytes
    waiting_of_key: int


def topic_for(consumer: str) -> str:
    """Dead-letter topic of a consumer, without prefix: its service's, whose name the consumer's begins with."""
    service = consumer.partition(".")[0]
    return f"private.{service}.dlq.v1"


async def put_aside(
    conn: Connection, outbox: Outbox, schema: str, consumer: str, record: Received, *, reason: str, error: str
) -> None:
    """Keep a record as a dead letter and block its key; all in the caller's transaction."""
    text = storable(error)
    headers = [(name, value or b"") for name, value in record.headers]
    await conn.execute(
        f"""INSERT INTO {schema}.dead_letter
                (consumer, event_id, topic, partition, record_offset, key, type, headers, body, reason, error)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        consumer, record.id, record.topic, record.tp.partition, record.offset, record.key,
        record.type.replace("\x00", ""), pack_headers(headers), record.value, reason, text,
    )  # fmt: skip
    if record.ordering_key is not None and reason != BEHIND:
        await conn.execute(
            f"""INSERT INTO {schema}.blocked_key (consumer, topic, key, event_id) VALUES ($1, $2, $3, $4)
                ON CONFLICT DO NOTHING""",
            consumer, record.topic, record.key, record.id,
        )  # fmt: skip
    shown_key = (record.key or b"").decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    outbox.add_raw(
        event_id=record.id,
        topic=topic_for(consumer),
        key=shown_key or str(record.id),
        value=record.value or b"",
        headers=[
            *headers,
            ("dlq_reason", reason.encode()),
            ("dlq_error", text.encode()),
            ("dlq_consumer", consumer.encode()),
            ("dlq_topic", record.topic.encode()),
            ("dlq_partition", str(record.tp.partition).encode()),
            ("dlq_offset", str(record.offset).encode()),
            ("dlq_key", record.key or b""),
        ],
    )
    DEAD_LETTERS.labels(consumer, reason).inc()


def storable(error: object) -> str:
    """What is kept of an error: it may hold what Postgres and UTF-8 refuse, and must not fail for that."""
    return str(error)[:ERROR_CHARS_MAX].replace("\x00", "").encode("utf-8", "backslashreplace").decode()


async def still_blocked(
    conn: Connection, schema: str, consumer: str, keys: Sequence[tuple[str, bytes]]
) -> frozenset[tuple[str, bytes]]:
    """Which of the keys are blocked, and stay so until this transaction ends (a redrive's last step waits)."""
    rows = await conn.fetch(
        f"""SELECT topic, key FROM {schema}.blocked_key
            WHERE consumer = $1 AND (topic, key) IN (SELECT * FROM unnest($2::text[], $3::bytea[]))
            ORDER BY topic, key FOR SHARE""",
        consumer,
        [topic for topic, _ in keys],
        [key for _, key in keys],
    )
    return frozenset((row["topic"], row["key"]) for row in rows)


async def list_dead_letters(
    conn: Connection, schema: str, *, status: str | None = "waiting", after_id: int = 0, limit: int = 100
) -> list[DeadLetter]:
    """Dead letters by id. ``status`` None lists all."""
    rows = await conn.fetch(
        f"""SELECT {_LISTED} FROM {schema}.dead_letter
            WHERE id > $1 AND ($2::text IS NULL OR status = $2) ORDER BY id LIMIT $3""",
        after_id,
        status,
        limit,
    )
    return [DeadLetter(**dict(row)) for row in rows]


async def find_dead_letter(conn: Connection, schema: str, letter_id: int) -> tuple[DeadLetter, Content] | None:
    """One letter, whatever its status, with its content; None when there is none of that id."""
    row = await conn.fetchrow(
        f"""SELECT {_LISTED}, headers, body, (
                SELECT count(*) FROM {schema}.dead_letter b WHERE b.status = 'waiting' AND b.consumer = d.consumer
                    AND b.topic = d.topic AND (b.key = d.key OR b.id = d.id)) AS waiting_of_key
            FROM {schema}.dead_letter d WHERE id = $1""",
        letter_id,
    )
    if row is None:
        return None
    columns = dict(row)
    content = Content(
        headers=unpack_headers(columns.pop("headers")),
        body=columns.pop("body") or b"",
        waiting_of_key=columns.pop("waiting_of_key"),
    )
    return DeadLetter(**columns), content


async def discard(conn: Connection, schema: str, letter_id: int) -> bool:
    """Close a waiting letter without its effect. The next redrive goes on behind it."""
    status = await conn.execute(
        f"""UPDATE {schema}.dead_letter SET status = 'discarded', closed_at = now()
            WHERE id = $1 AND status = 'waiting'""",
        letter_id,
    )
    return rows_affected(status) == 1
