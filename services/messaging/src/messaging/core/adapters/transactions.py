"""Begins transactions, commits them with their events and records, and then tells everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from messaging.core.adapters.transaction import MessagingTx
from messaging.core.usecases.announcing import Announcer
from operations import Parts
from sealing import PersonKeys


@dataclass(frozen=True, slots=True)
class Transactions:
    """``announcer`` hears of a transaction once it is committed, never before."""

    parts: Parts
    keys: PersonKeys
    announcer: Announcer

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[MessagingTx]:
        """Commits at the end of the block."""
        async with self.parts.transaction(user_id) as (conn, outbox):
            tx = MessagingTx.on(conn, outbox, self.keys, self.parts.clock.now())
            yield tx
            await tx.flush()
        self.announcer.committed(tx.stream.events, tx.accounts.events, tx.cursors, tx.sights)
