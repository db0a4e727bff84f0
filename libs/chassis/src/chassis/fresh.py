"""Whether a new connection to a part can be had now.

A pool says nothing of that: its connections outlive a changed password, a role that may log in no more, and a server
that takes no one else. Invariant: however often it is asked, it connects at most once in ``every_s``, one at a time;
and whoever asks waits at most ``patience_s``, then hears what was found last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from kernel.tasks import stop_tasks

EVERY_S: Final = 15.0
PATIENCE_S: Final = 0.7


class FreshConnections:
    """``connect`` opens a connection, closes it, and takes a bounded time; or raises.

    It runs in a task of its own, so that a slow server makes no probe slow.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[None]], *, every_s: float = EVERY_S, patience_s: float = PATIENCE_S
    ) -> None:
        self._connect = connect
        self._every_s, self._patience_s = every_s, patience_s
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._failure: Exception | None = None

    async def check(self) -> None:
        """Raises what the last attempt to connect raised."""
        if self._looking is None and time.monotonic() - self._looked_at >= self._every_s:
            self._looking = asyncio.create_task(self._look(), name="fresh-connection")
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=self._patience_s)
        if self._failure is not None:
            raise self._failure.with_traceback(None)

    async def close(self) -> None:
        if self._looking is not None:
            await stop_tasks(self._looking)

    async def _look(self) -> None:
        try:
            await self._connect()
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is why there is no connection
            self._failure = error
        else:
            self._failure = None
        finally:
            self._looked_at = time.monotonic()
            self._looking = None
