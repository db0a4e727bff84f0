"""Wake-ups from a committed transaction to the relay: at once in this process, by NOTIFY to others.

NOTIFY is never part of a business transaction (it takes a cluster-wide lock at commit); it is sent afterwards on a
connection of its own, at most once in ``interval_s`` a process, and only when a lane has its owner elsewhere.
A lost wake-up costs one poll interval: the relay's poll is the guarantee.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

import asyncpg
import structlog

from kernel.notifier import Notifier
from kernel.tasks import stop_tasks, within

_LOST: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_ANSWER_S: Final = 2.0
log = structlog.get_logger(__name__)


class Wakeups:
    """One per process and schema; writers and the relay of a process share it."""

    def __init__(self, dsn: str, schema: str, *, interval_s: float = 0.005) -> None:
        self.channel = f"{schema}_outbox"
        self._dsn = dsn
        self._interval_s = interval_s
        self.notifier = Notifier()  # of this process's relay
        self._local_lanes: frozenset[int] = frozenset()
        self._conn: asyncpg.Connection | None = None
        self._notifying: asyncio.Task[None] | None = None
        self._again = False

    def committed(self, lanes: Iterable[int]) -> None:
        """Rows of these lanes were committed."""
        self.notifier.notify()
        if not self._local_lanes.issuperset(lanes):
            self._request_notify()

    def own(self, lanes: frozenset[int]) -> None:
        """This process's relay owns these lanes: their wake-ups need no NOTIFY."""
        self._local_lanes = lanes

    async def close(self) -> None:
        """Send the last wake-up that is under way and close the connection."""
        if self._notifying is not None:
            await asyncio.wait([self._notifying], timeout=1)
            await stop_tasks(self._notifying, timeout_s=1)
        if self._conn is not None:
            await self._conn.close(timeout=1)
            self._conn = None

    def _request_notify(self) -> None:
        self._again = True
        if self._notifying is None or self._notifying.done():
            self._notifying = asyncio.get_running_loop().create_task(self._notify(), name=f"{self.channel}.notify")

    async def _notify(self) -> None:
        while self._again:
            self._again = False
            try:
                await within(2 * _ANSWER_S, self._notify_once())
            except _LOST as error:
                log.debug("wakeup_lost", channel=self.channel, error=str(error))
                if self._conn is not None:
                    self._conn.terminate()
                    self._conn = None
            await asyncio.sleep(self._interval_s)

    async def _notify_once(self) -> None:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncpg.connect(
                self._dsn, timeout=_ANSWER_S, server_settings={"synchronous_commit": "off"}
            )
        await self._conn.execute(f'NOTIFY "{self.channel}"', timeout=_ANSWER_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
