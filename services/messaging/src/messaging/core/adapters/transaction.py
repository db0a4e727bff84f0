"""One transaction of messaging: locks, streams, and what is told once it is committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from eventing import Outbox
from messaging.core.adapters.account_stream_store import AccountStream
from messaging.core.adapters.cursor_store import Cursor
from messaging.core.adapters.stream_store import Stream
from messaging.core.domain.stream import Sight
from sealing import PersonKeys, Sealer


@dataclass(slots=True)
class MessagingTx:
    """``now`` is the transaction's one time. ``keys`` open what ``sealer`` seals.

    ``cursors``: those that moved, told as receipts after the commit.
    ``sights``: what some may see of others is another now, told to those who look.
    """

    conn: asyncpg.Connection[Any]
    outbox: Outbox
    stream: Stream
    accounts: AccountStream
    keys: PersonKeys
    sealer: Sealer
    now: datetime
    cursors: list[Cursor] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)

    @classmethod
    def on(cls, conn: asyncpg.Connection[Any], outbox: Outbox, keys: PersonKeys, now: datetime) -> MessagingTx:
        sealer = Sealer(conn, keys.wrapping)
        return cls(conn, outbox, Stream(conn, outbox, sealer, now), AccountStream(conn, now), keys, sealer, now)

    async def flush(self) -> None:
        """Write what is buffered. The last thing before the commit."""
        await self.stream.flush()
        await self.accounts.flush()
        await self.outbox.flush()
