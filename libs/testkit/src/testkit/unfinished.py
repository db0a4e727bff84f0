"""What tasks wait for: for a test that hangs, whose own stack says only that the loop is idle."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any


def awaited_by(task: asyncio.Task[Any]) -> Iterator[str]:
    """``file:line function`` from the task's coroutine inwards to what it stands at."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        code, frame = _code_of(waiting), _frame_of(waiting)
        if code is None:
            yield f"  {waiting!r}"
            return
        line = frame.f_lineno if frame is not None else code.co_firstlineno
        yield f"  {code.co_filename}:{line} {code.co_name}"
        waiting = _next(waiting)


def report(tasks: Iterable[asyncio.Task[Any]]) -> str:
    """Each task that is not done, and what it waits for."""
    return "\n".join("\n".join([task.get_name(), *awaited_by(task)]) for task in tasks if not task.done())


def _code_of(waiting: Any) -> CodeType | None:
    return next((found for name in ("cr_code", "gi_code", "ag_code") if (found := getattr(waiting, name, None))), None)


def _frame_of(waiting: Any) -> Any:
    return next(
        (found for name in ("cr_frame", "gi_frame", "ag_frame") if (found := getattr(waiting, name, None))), None
    )


def _next(waiting: Any) -> Any:
    return next(
        (found for name in ("cr_await", "gi_yieldfrom", "ag_await") if (found := getattr(waiting, name, None))), None
    )
