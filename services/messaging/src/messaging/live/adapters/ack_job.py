"""Read and delivered cursors from sockets, gathered for a moment and written together.

No answer waits for them: a cursor that is lost with the process is sent again by the client, or is only a little late.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final
from uuid import UUID

from chassis.run import Repeating
from kernel.backoff import BackoffPolicy
from messaging.core.domain.cursor import Cursor

if TYPE_CHECKING:
    from messaging.adapters.transaction import MessagingTx

GATHER_S: Final = 0.1
BATCH_MAX: Final = 500
PENDING_MAX: Final = 50_000

Begin = Callable[[], AbstractAsyncContextManager["MessagingTx"]]


class Acks(Repeating):
    """A runner of the nodes. What it cannot write is lost: a client says it again, and nothing else depends on it."""

    name = "realtime-acks"
    failing = "cursors could not be written"
    again = BackoffPolicy.constant(0.2)
    gather_s = GATHER_S
    first_pause_s = None

    def __init__(self, begin: Begin) -> None:
        super().__init__()
        self._begin = begin
        self._waiting: dict[tuple[UUID, UUID], tuple[int, int]] = {}

    def add(self, cursor: Cursor) -> None:
        """Remember the furthest of each member."""
        key = cursor.dialog_id, cursor.user_id
        delivered, read = self._waiting.get(key, (0, 0))
        if key in self._waiting or len(self._waiting) < PENDING_MAX:
            self._waiting[key] = max(delivered, cursor.delivered_seq), max(read, cursor.read_seq)
            self.notifier.notify()

    def unfinished(self) -> bool:
        return bool(self._waiting)

    async def step(self) -> float | None:
        """One batch."""
        if not self._waiting:
            return None
        keys = list(self._waiting)[:BATCH_MAX]
        batch = [Cursor(*key, *self._waiting.pop(key)) for key in keys]
        async with self._begin() as tx:
            said = {(each.dialog_id, each.user_id) for each in batch if each.read_seq}
            for moved in await tx.cursors.advance(batch, tx.now):
                if (moved.dialog_id, moved.user_id) in said:
                    tx.accounts.change(
                        moved.user_id, "read.changed", dialog_id=moved.dialog_id, payload={"read_seq": moved.read_seq}
                    )
                tx.hints.cursor_moved(moved)
        return 0.0 if self._waiting else None
