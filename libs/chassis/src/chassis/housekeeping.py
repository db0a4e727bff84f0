"""Jobs that every service with a database runs."""

from __future__ import annotations

from chassis import idempotency
from chassis.postgres import Database
from chassis.run.repeating import Periodic


def forget_keys(database: Database, *, every_s: float = 600, keep_hours: int = idempotency.KEEP_HOURS) -> Periodic:
    """Deletes idempotency keys older than ``keep_hours``, in short transactions, until none are left."""

    async def forget() -> None:
        forgotten = idempotency.FORGET_ROWS
        while forgotten == idempotency.FORGET_ROWS:
            async with database.begin() as conn:
                forgotten = await idempotency.forget_old(conn, keep_hours=keep_hours)

    return Periodic("forget-idempotency-keys", every_s, forget)
