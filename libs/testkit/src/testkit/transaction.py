"""The smallest transaction that satisfies eventing, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from eventing.database import Connection
from eventing.outbox import Outbox, OutboxConfig
from eventing.transaction import Begin
from eventing.wakeups import Wakeups


@dataclass(slots=True)
class Tx:
    """A connection with an open transaction and its outbox."""

    conn: Connection
    outbox: Outbox


def begin_on(pool: asyncpg.Pool, config: OutboxConfig, wakeups: Wakeups | None = None) -> Begin[Tx]:
    """``begin()`` over a pool: commits at the end of the block, flushes the outbox before, wakes the relay after."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[Tx]:
        async with pool.acquire() as conn:
            async with conn.transaction():
                outbox = Outbox(conn, config, wakeups)
                yield Tx(conn, outbox)
                await outbox.flush()
            outbox.committed()

    def open_transaction() -> AbstractAsyncContextManager[Tx]:
        return begin()

    return open_transaction
