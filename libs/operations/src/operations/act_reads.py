"""Acts as they are on record: those of the event log, and those that wait to be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.postgres import Connection
from eventing.record_option import topic_of
from eventing.tables import RECORD_COLUMNS
from sampan.operations.v1.act_pb2 import OperatorActed


@dataclass(frozen=True, slots=True)
class RecordedAct:
    """An act and its place in the order of commits."""

    id: int
    act: OperatorActed


async def list_acts(
    conn: Connection, schema: str, service: str, *, before_id: int | None, limit: int
) -> Sequence[RecordedAct]:
    """Newest first, older than ``before_id``."""
    tables = (f"{schema}.outbox", f"{schema}.outbox_parked", f"{schema}.event_log")
    newest = " UNION ALL ".join(
        f"(SELECT id, {RECORD_COLUMNS} FROM {table} WHERE topic = $1 AND ($2::bigint IS NULL OR id < $2)"
        " ORDER BY id DESC LIMIT $3)"
        for table in tables
    )
    rows = await conn.fetch(
        f"SELECT id, body FROM ({newest}) AS acts ORDER BY id DESC LIMIT $3",
        topic_of(OperatorActed, service),
        before_id,
        limit,
    )
    return [RecordedAct(row["id"], OperatorActed.FromString(row["body"])) for row in rows]
