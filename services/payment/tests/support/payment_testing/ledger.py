"""A ledger for tests: each call is a transaction of its own, as one of the flusher's is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.postgres import Connection
from payment.adapters.ledger_store import Also, LedgerStore
from payment.domain.ledger import Op
from payment.domain.outcome import Answer


class CommittingLedger(LedgerStore):
    async def execute(
        self, conn: Connection, ops: Sequence[Op], *, now: datetime, also: Also | None = None
    ) -> list[Answer]:
        """As ``LedgerStore.execute``, committed."""
        async with conn.transaction():
            return await super().execute(conn, ops, now=now, also=also)
