"""Tasks that end when they are told to, whatever the library inside them makes of a cancellation.

A cancel can be lost: a client that is just connecting or closing swallows it, or hands it on to a task of its own that
takes it for a normal end. So it is repeated, and who waits for an end waits for a bounded time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")

STOP_S: Final = 5.0
AGAIN_S: Final = 0.5
log = logging.getLogger(__name__)


async def stop_tasks(
    *tasks: asyncio.Task[Any], timeout_s: float = STOP_S, again_s: float = AGAIN_S
) -> frozenset[asyncio.Task[Any]]:
    """Cancel tasks and wait for their end, cancelling again those that have not ended after ``again_s``.

    Returns those that had not ended after ``timeout_s``; they are logged and left behind.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    for task in tasks:
        if task.done():
            _note_failure(task)
        else:
            task.add_done_callback(_note_failure)
    left = {task for task in tasks if not task.done()}
    while left and (left_s := deadline - loop.time()) > 0:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=min(again_s, left_s))
    for task in left:
        log.error("a task did not end in %.1f s and is left behind: %s", timeout_s, task.get_name())
    return frozenset(left)


@asynccontextmanager
async def beside(
    work: Coroutine[Any, Any, T], *, name: str | None = None, timeout_s: float = STOP_S
) -> AsyncIterator[asyncio.Task[T]]:
    """``work`` as a task for the length of the block; it is stopped at its end."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await stop_tasks(task, timeout_s=timeout_s)


async def within(timeout_s: float, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns. Raises ``TimeoutError`` when it takes longer, also when its cancel is lost.

    For calls of somebody's client; costs a task. A cancellation that escapes from the client is a connection lost.
    """
    async with beside(work, timeout_s=2 * AGAIN_S) as task:
        await asyncio.wait({task}, timeout=timeout_s)
        if not task.done():
            raise TimeoutError(f"no end after {timeout_s:g} s")
        return result_of(task)


async def despite_cancel(work: Coroutine[Any, Any, Any], *, timeout_s: float) -> bool:
    """Whether ``work`` ended in ``timeout_s``. A cancel of the caller, however often repeated, is raised only then.

    For what has to be written down on the way out.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    cancel: asyncio.CancelledError | None = None
    async with beside(work, timeout_s=2 * AGAIN_S) as task:
        while not task.done() and (left_s := deadline - loop.time()) > 0:
            try:
                await asyncio.wait({task}, timeout=left_s)
            except asyncio.CancelledError as error:
                cancel = error
        ended = task.done()
    if cancel is not None:
        raise cancel
    if ended:
        result_of(task)
    return ended


def result_of(task: asyncio.Task[T]) -> T:
    """What an ended task returned, or raises what it raised; ``ConnectionAbortedError`` when it was cancelled.

    For tasks that nobody but their client cancels: the waiting task would take that for its own cancellation.
    """
    if task.cancelled():
        raise ConnectionAbortedError("cancelled from within")
    return task.result()


def _note_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("a task that was stopped had failed: %s: %r", task.get_name(), error)
