"""Cancels a coroutine at its first await, then at its second, and so on: it has to end in time wherever it was."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from kernel.tasks import stop_tasks

_counting: Final[contextvars.ContextVar[_Count | None]] = contextvars.ContextVar("counting", default=None)


class _Count:
    """Awaits of one coroutine and of the tasks it makes, together. At the ``nth`` its own task is cancelled."""

    def __init__(self, nth: int) -> None:
        self._nth = nth
        self._seen = 0
        self.top: asyncio.Task[Any] | None = None
        self.reached = asyncio.Event()
        self.tasks: list[asyncio.Task[Any]] = []

    def suspended(self) -> None:
        self._seen += 1
        if self._seen == self._nth and self.top is not None:
            self.top.cancel()
            self.reached.set()


async def cancelled_at_every_await(
    make: Callable[[], Coroutine[Any, Any, Any]],
    nths: Iterable[int],
    *,
    within_s: float,
    reach_s: float = 10.0,
    may_stay: Callable[[asyncio.Task[Any]], bool] = lambda _: False,
) -> int:
    """Runs ``make()`` anew for each of ``nths``; returns at how many of them it was cancelled.

    Raises ``AssertionError`` when it, or a task it made, has not ended ``within_s`` after that. It is stopped by
    ``stop_tasks``, as everything is; a coroutine that ends before its nth await is no failure.
    """
    cancelled = 0
    for nth in nths:
        with _tasks_counted():
            count = _Count(nth)
            token = _counting.set(count)
            try:
                top = asyncio.get_running_loop().create_task(make())
                count.top = top
            finally:
                _counting.reset(token)
            reaching = asyncio.ensure_future(count.reached.wait())
            await asyncio.wait({top, reaching}, timeout=reach_s, return_when=asyncio.FIRST_COMPLETED)
            await stop_tasks(reaching)
            cancelled += count.reached.is_set()
            left = await stop_tasks(top, timeout_s=within_s)
            assert not left, f"cancelled at await {nth}: has not ended after {within_s} s"
            children = {task for task in count.tasks if not task.done() and not may_stay(task)}
            if children:
                _, late = await asyncio.wait(children, timeout=within_s)
                names = [repr(task.get_coro()) for task in late]
                assert not late, f"cancelled at await {nth}: leaves {names} behind"
    return cancelled


@contextmanager
def _tasks_counted() -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        count = _counting.get()
        if count is None:
            return asyncio.Task(work, loop=loop, **options)
        task = asyncio.Task(_Driven(work, count), loop=loop, **options)
        count.tasks.append(task)
        return task

    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(before)


class _Driven(Coroutine[Any, Any, Any]):
    """A coroutine, with a look at each of its suspensions."""

    def __init__(self, work: Coroutine[Any, Any, Any], count: _Count) -> None:
        self._work = work
        self._count = count

    def send(self, value: Any) -> Any:
        awaited = self._work.send(value)
        self._count.suspended()
        return awaited

    def throw(self, *thrown: Any) -> Any:
        awaited = self._work.throw(*thrown)
        self._count.suspended()
        return awaited

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError("only a task runs it")

    def __repr__(self) -> str:
        return repr(self._work)
