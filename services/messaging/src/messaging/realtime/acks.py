"""Read and delivered cursors from sockets, gathered for a moment and written together.

No answer waits for them: a cursor that is lost with the process is sent again by the client, or is only a little late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from kernel.backoff import BackoffPolicy
from kernel.loops import repeat
from kernel.notifier import Notifier
from kernel.steps import Steps
from messaging.core.adapters.cursor_store import Cursor, advance

if TYPE_CHECKING:
    from messaging.core.adapters.transaction import MessagingTx

GATHER_S: Final = 0.1
BATCH_MAX: Final = 500
PENDING_MAX: Final = 50_000
STEP_S: Final = 60.0
_AGAIN: Final = BackoffPolicy.constant(0.2)
log = structlog.get_logger(__name__)

Begin = Callable[[], AbstractAsyncContextManager["MessagingTx"]]


class Acks:
    """A runner of the nodes."""

    name: Final = "realtime-acks"
    critical: Final = False

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waiting: dict[tuple[UUID, UUID], tuple[int, int]] = {}
        self._notifier = Notifier()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def add(self, cursor: Cursor) -> None:
        """Remember the furthest of each member."""
        key = cursor.dialog_id, cursor.user_id
        delivered, read = self._waiting.get(key, (0, 0))
        if key in self._waiting or len(self._waiting) < PENDING_MAX:
            self._waiting[key] = max(delivered, cursor.delivered_seq), max(read, cursor.read_seq)
            self._notifier.notify()

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``, and then what still waits."""
        await repeat(
            self._write,
            stop,
            steps=self.steps,
            again=_AGAIN,
            failed=self._failed,
            notifier=self._notifier,
            gather_s=GATHER_S,
            first_pause_s=None,
            unfinished=lambda: bool(self._waiting),
        )

    async def _write(self) -> float | None:
        """One batch. What cannot be written is lost: a client says it again, and nothing else depends on it."""
        if not self._waiting:
            return None
        keys = list(self._waiting)[:BATCH_MAX]
        batch = [Cursor(*key, *self._waiting.pop(key)) for key in keys]
        async with self._begin() as tx:
            said = {(each.dialog_id, each.user_id) for each in batch if each.read_seq}
            for moved in await advance(tx.conn, batch, tx.now):
                if (moved.dialog_id, moved.user_id) in said:
                    tx.accounts.change(
                        moved.user_id,
                        "read.changed",
                        dialog_id=moved.dialog_id,
                        payload={"read_seq": moved.read_seq},
                    )
                tx.cursors.append(moved)
        self._problem = None
        return 0.0 if self._waiting else None

    def _failed(self, error: Exception) -> None:
        self._problem = f"cursors could not be written: {type(error).__name__}"
        log.warning("realtime.acks_unwritten", error=type(error).__name__)
