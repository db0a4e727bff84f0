"""Work for connections that runs beside what comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from chassis.http.problems import refusal_of
from kernel.tasks import stop_tasks
from messaging.realtime.socket.frames import error_frame

Work = Coroutine[Any, Any, None]


class Asker(Protocol):
    """Who is told what came of the work."""

    def write(self, data: bytes) -> None: ...


async def tell_refusal(asker: Asker, ref: str | None, work: Work) -> None:
    """Do it; whatever is raised is told to the one who asked, with their ``ref``."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 -- told to the one who asked; the node goes on
        asker.write(error_frame(refusal_of(error), ref))


class Spawner:
    """The tasks of one node."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Work) -> None:
        """Do something beside what comes in."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def answer(self, asker: Asker, ref: str | None, work: Work) -> None:
        """Do what they asked for beside what comes in; a refusal is told to them."""
        self.spawn(tell_refusal(asker, ref, work))

    async def finish(self, timeout_s: float) -> None:
        """Wait for what is running, at most so long."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)

    async def close(self) -> None:
        await stop_tasks(*self._tasks)
