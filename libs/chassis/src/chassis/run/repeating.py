"""Runners that do one step again and again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import structlog

from kernel.backoff import Backoff, BackoffPolicy
from kernel.loops import repeat
from kernel.notifier import Notifier
from kernel.steps import Steps

log = structlog.get_logger()

CALL_S: Final = 600.0
AGAIN_S: Final = 15.0


class Repeating(ABC):
    """A runner that does ``step`` as ``kernel.loops.repeat`` does. A class of it says by attributes how.

    ``failing`` says what does not work, to readiness, from a step that fails until one succeeds. ``bound_s`` is how
    long a step may take until ``Supervised`` cuts it. ``notifier`` ends a pause.
    """

    name: str
    critical: bool = False
    failing: str = "failed"
    bound_s: float = 60.0
    again: BackoffPolicy
    gather_s: float = 0.0
    first_pause_s: float | None = 0.0

    def __init__(self) -> None:
        self.notifier = Notifier()
        self.steps = Steps(self.bound_s)
        self._problem: str | None = None

    @abstractmethod
    async def step(self) -> float | None:
        """Do one. Returns how many seconds to pause after it; None until the next notification."""

    def unfinished(self) -> bool:
        """Whether there is more to do before a stop."""
        return False

    def failed(self, error: Exception) -> None:
        """A step failed: with its traceback in the log when the one before it did not."""
        log.error("step.failed", runner=self.name, error=cause_of(error), exc_info=error if not self._problem else None)
        self._problem = f"{self.failing}: {cause_of(error)}"

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        await repeat(
            self._step,
            stop,
            steps=self.steps,
            again=self.again,
            failed=self.failed,
            notifier=self.notifier,
            gather_s=self.gather_s,
            first_pause_s=self.first_pause_s,
            unfinished=self.unfinished,
        )

    async def _step(self) -> float | None:
        pause_s = await self.step()
        self._problem = None
        return pause_s


class Periodic(Repeating):
    """Calls a function every so often, a little irregularly, one call at a time; and at once when it is notified.

    With ``idle_s`` the function says whether it found anything to do; while it did not, its pauses grow up to that.
    A call that failed is made again soon, however rare it is, and less soon each time: what an outage left undone is
    not left for an hour. It never ends the process.
    """

    def __init__(
        self,
        name: str,
        every_s: float,
        fn: Callable[[], Awaitable[Any]],
        *,
        idle_s: float | None = None,
        jitter: float = 0.1,
        notifier: Notifier | None = None,
        bound_s: float = CALL_S,
    ) -> None:
        super().__init__()
        self.name, self._fn = name, fn
        self.notifier = notifier or self.notifier
        self.steps = Steps(bound_s, told_s=bound_s / 2)
        spread = (1 - jitter, 1 + jitter)
        self.first_pause_s = BackoffPolicy(first_s=every_s, cap_s=every_s, spread=(0, min(1.0, jitter * 2))).wait_s(1)
        self.again = BackoffPolicy(first_s=AGAIN_S, cap_s=every_s, spread=spread)
        self._rest = Backoff(BackoffPolicy(first_s=every_s, cap_s=idle_s or every_s, spread=spread))

    async def step(self) -> float:
        if await self._fn():
            self._rest.reset()
        return self._rest.next_s()


def cause_of(error: BaseException) -> str:
    """The kinds of error, for whoever operates the process: of a group, those of its members."""
    return ", ".join(dict.fromkeys(type(each).__name__ for each in _leaves(error)))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for each in error.exceptions:
        yield from _leaves(each)
