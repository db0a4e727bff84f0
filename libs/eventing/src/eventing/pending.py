"""How much of an outbox waits for the broker, and since when: for operators' eyes, not for the relay's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from eventing.database import Connection


@dataclass(frozen=True, slots=True)
class Pending:
    """Records committed and not yet acknowledged; those of parked keys are not among them."""

    records: int
    oldest_at: datetime | None


async def pending(conn: Connection, schema: str) -> Pending:
    """As committed now."""
    row = await conn.fetchrow(f"SELECT count(*) AS records, min(occurred_at) AS oldest_at FROM {schema}.outbox")
    return Pending(0, None) if row is None else Pending(row["records"], row["oldest_at"])
