"""Work for connections that runs beside what comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

from chassis.http.problems import refusal_of
from kernel.tasks import stop_tasks
from messaging.realtime.socket.frames import error_frame

Work = Coroutine[Any, Any, None]


class Asker(Protocol):
    """Who is told what came of the work. ``turn``: the last of it that is not done."""

    turn: asyncio.Task[None] | None

    @property
    def is_open(self) -> bool: ...

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

    def spawn(self, work: Work) -> asyncio.Task[None]:
        """Do something beside what comes in."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def answer(self, asker: Asker, ref: str | None, work: Work) -> None:
        """Do what they asked for beside what comes in, after what they asked for before; refusals are told to them."""
        asker.turn = self.spawn(_in_turn(asker, asker.turn, ref, work))
        asker.turn.add_done_callback(partial(_turn_is_over, asker))

    async def finish(self, timeout_s: float) -> None:
        """Wait for what is running, at most so long."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)

    async def close(self) -> None:
        await stop_tasks(*self._tasks)


async def _in_turn(asker: Asker, before: asyncio.Task[None] | None, ref: str | None, work: Work) -> None:
    """Whoever has gone meanwhile is answered no more."""
    try:
        if before is not None:
            await asyncio.wait({before})
        if asker.is_open:
            await tell_refusal(asker, ref, work)
    finally:
        work.close()


def _turn_is_over(asker: Asker, task: asyncio.Task[None]) -> None:
    if asker.turn is task:
        asker.turn = None
