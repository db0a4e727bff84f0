"""A ledger for tests: each call is a transaction of its own, as one of the flusher's is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.postgres import Connection
from payment.adapters.ledger_store import Also, LedgerStore
from payment.adapters.transfer_store import swap
from payment.domain.ledger import Op, Transfer
from payment.domain.outcome import Answer


class CommittingLedger(LedgerStore):
    async def execute(
        self, conn: Connection, ops: Sequence[Op], *, now: datetime, also: Also | None = None
    ) -> list[Answer]:
        """As ``LedgerStore.execute``, committed."""
        async with conn.transaction():
            return await super().execute(conn, ops, now=now, also=also)


class SwappingLedger(CommittingLedger):
    """Transfers without locks where that goes, as the flusher makes them."""

    async def execute(
        self, conn: Connection, ops: Sequence[Op], *, now: datetime, also: Also | None = None
    ) -> list[Answer]:
        transfers = [op for op in ops if isinstance(op, Transfer)]
        if ops and len(transfers) == len(ops):
            answers = await swap(conn, transfers, now=now, also=also or (lambda _: ()))
            if answers is not None:
                return answers
        return await super().execute(conn, ops, now=now, also=also)
