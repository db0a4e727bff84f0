"""The steps of a loop that runs for as long as its process, and what happens when one of them does not end.

Whether a loop works is told by when a step last ended, not by what its clients say of themselves: a client that died
inside answers that all is well. A step that is late is cut, and its loop begun anew, with new clients.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from kernel.tasks import despite_cancel, result_of, stop_tasks

T = TypeVar("T")

TOLD_S: Final = 30.0
_LOOKS_A_BOUND: Final = 4
_STOP_S: Final = 15.0
_STOP_AGAIN_S: Final = 5.0


class LateStepError(Exception):
    """A step took longer than its bound."""


class Steps:
    """Of one loop. ``bound_s`` is how long a step may take; ``told_s`` how long none may end until ``problem`` says so.

    A loop calls ``begin`` and ``end`` around each step, not around its pauses.
    """

    def __init__(
        self, bound_s: float, *, told_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.bound_s = bound_s
        self._told_s = min(TOLD_S, bound_s) if told_s is None else told_s
        self._clock = clock
        self._began_at: float | None = None
        self._due_since: float | None = None

    def begin(self) -> None:
        """A step begins, or begins anew."""
        self._began_at = self._clock()
        if self._due_since is None:
            self._due_since = self._began_at

    def end(self) -> None:
        """The step ended."""
        self._began_at = self._due_since = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """One step, which ends however the block ends; not by a cancel."""
        self.begin()
        try:
            yield
        except Exception:
            self.end()
            raise
        self.end()

    @property
    def late(self) -> bool:
        """The step at work has taken longer than its bound."""
        return self._began_at is not None and self._clock() - self._began_at > self.bound_s

    @property
    def due_s(self) -> float:
        """For how long a step is due without one ending; 0 between steps."""
        return 0.0 if self._due_since is None else self._clock() - self._due_since

    def problem(self) -> str | None:
        """One sentence when no step ended for too long."""
        due_s = self.due_s
        return f"no step has ended for {due_s:.0f} s" if due_s > self._told_s else None


async def in_time(work: Coroutine[Any, Any, T], steps: Steps) -> T:
    """Run a loop. Raises ``LateStepError`` when one of its steps is late; the loop has ended, or is left behind, then.

    So it is when the caller is cancelled, however often: what the loop writes down on its way out is waited for.

    Looks a few times a bound: it costs no timer a step.
    """
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=steps.bound_s / _LOOKS_A_BOUND)
            if steps.late and not task.done():
                steps.begin()
                raise LateStepError(f"a step did not end in {steps.bound_s:g} s")
        return result_of(task)
    finally:
        await despite_cancel(stop_tasks(task, timeout_s=_STOP_S, again_s=_STOP_AGAIN_S), timeout_s=_STOP_S)
