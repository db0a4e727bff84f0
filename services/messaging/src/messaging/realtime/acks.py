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

from kernel.steps import Steps
from kernel.tasks import beside
from messaging.core.domain.cursor import Cursor

if TYPE_CHECKING:
    from messaging.adapters.transaction import MessagingTx

GATHER_S: Final = 0.1
BATCH_MAX: Final = 500
PENDING_MAX: Final = 50_000
STEP_S: Final = 60.0
_RETRY_S: Final = 0.2
log = structlog.get_logger(__name__)

Begin = Callable[[], AbstractAsyncContextManager["MessagingTx"]]


class Acks:
    """A runner of the nodes."""

    name: Final = "realtime-acks"
    critical: Final = False

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waiting: dict[tuple[UUID, UUID], tuple[int, int]] = {}
        self._wake = asyncio.Event()
        self._problem: str | None = None
        self.steps = Steps(STEP_S)

    def add(self, cursor: Cursor) -> None:
        """Remember the furthest of each member."""
        key = cursor.dialog_id, cursor.user_id
        delivered, read = self._waiting.get(key, (0, 0))
        if key in self._waiting or len(self._waiting) < PENDING_MAX:
            self._waiting[key] = max(delivered, cursor.delivered_seq), max(read, cursor.read_seq)
            self._wake.set()

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        async with beside(self._wake_when(stop)):
            while not (stop.is_set() and not self._waiting):
                await self._wake.wait()
                self._wake.clear()
                if not stop.is_set():
                    await asyncio.sleep(GATHER_S)
                if self._waiting:
                    with self.steps.step():
                        await self._write()

    async def _write(self) -> None:
        keys = list(self._waiting)[:BATCH_MAX]
        batch = [Cursor(*key, *self._waiting.pop(key)) for key in keys]
        if self._waiting:
            self._wake.set()
        try:
            async with self._begin() as tx:
                said = {(each.dialog_id, each.user_id) for each in batch if each.read_seq}
                for moved in await tx.cursors.advance(batch, tx.now):
                    if (moved.dialog_id, moved.user_id) in said:
                        tx.accounts.change(
                            moved.user_id,
                            "read.changed",
                            dialog_id=moved.dialog_id,
                            payload={"read_seq": moved.read_seq},
                        )
                    tx.hints.cursor_moved(moved)
            self._problem = None
        except Exception as error:  # noqa: BLE001 -- a client says it again; nothing else depends on it
            self._problem = f"cursors could not be written: {type(error).__name__}"
            log.warning("realtime.acks_unwritten", error=type(error).__name__, cursors=len(batch))
            await asyncio.sleep(_RETRY_S)

    async def _wake_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
