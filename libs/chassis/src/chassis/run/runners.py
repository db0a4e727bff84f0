"""Background work inside a role: something with a name that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, Protocol

import structlog

from chassis.doorbell import rung
from chassis.telemetry import metrics
from kernel.steps import Steps, in_time
from kernel.tasks import beside

log = structlog.get_logger()

RESTART_S_MIN: Final = 0.5
RESTART_S_MAX: Final = 30.0
CALL_S: Final = 600.0
_CALM_S: Final = 60.0
AGAIN_S: Final = 15.0


class Runner(Protocol):
    """Returns from ``run`` soon after ``stop`` is set, with nothing half-done. ``problem`` feeds readiness.

    A runner with a class attribute ``critical = False`` degrades the process without making it unready; in a process
    that serves requests, every runner does no more than that. One with an attribute ``steps`` is started again when a
    step is late, and tells by it when its last step ended.
    """

    @property
    def name(self) -> str: ...

    async def run(self, stop: asyncio.Event) -> None: ...

    def problem(self) -> str | None: ...


class Supervised:
    """Keeps one runner running: an error is logged and the runner started again, later each time."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._failure: str | None = None
        self.critical: bool = getattr(runner, "critical", True)
        self._steps: Steps | None = getattr(runner, "steps", None)
        if self._steps is not None:
            metrics.step_bound_s.labels(self.name).set(self._steps.bound_s)
            metrics.step_due_s.labels(self.name).set_function(partial(_due_s, self._steps))
        metrics.runner_restarts.labels(self.name)  # an alert sees the first one only if there was a zero before it

    @property
    def name(self) -> str:
        return self._runner.name

    def problem(self) -> str | None:
        standing = None if self._steps is None else self._steps.problem()
        return self._failure or standing or self._runner.problem()

    async def run(self, stop: asyncio.Event) -> None:
        delay_s = RESTART_S_MIN
        while not stop.is_set():
            started = time.monotonic()
            try:
                await (self._runner.run(stop) if self._steps is None else in_time(self._runner.run(stop), self._steps))
                if stop.is_set():
                    return
                self._failure = "ended by itself"
            except (Exception, asyncio.CancelledError) as error:
                if _is_cancelled():
                    raise
                self._failure = f"failed: {cause_of(error)}"
                log.exception("runner.failed", runner=self.name, restart_in_s=delay_s)
            metrics.runner_restarts.labels(self.name).inc()
            if time.monotonic() - started > _CALM_S:
                delay_s = RESTART_S_MIN
            await _pause(stop, delay_s)
            delay_s = min(delay_s * 2, RESTART_S_MAX)
            self._failure = None


class Periodic:
    """Calls a function every so often, a little irregularly, one call at a time; and at once when ``bell`` is set.

    With ``idle_s`` the function says whether it found anything to do; while it did not, its pauses grow up to that.
    An error is logged and told by ``problem`` until a call succeeds; it never ends the process. A call that failed is
    made again soon, however rare it is, and less soon each time: what an outage left undone is not left for an hour.
    ``Supervised`` cuts a call that takes longer than ``bound_s``.
    """

    critical: Final = False

    def __init__(
        self,
        name: str,
        every_s: float,
        fn: Callable[[], Awaitable[Any]],
        *,
        idle_s: float | None = None,
        jitter: float = 0.1,
        bell: asyncio.Event | None = None,
        bound_s: float = CALL_S,
    ) -> None:
        self.name = name
        self._every_s, self._fn, self._jitter = every_s, fn, jitter
        self._idle_s = every_s if idle_s is None else idle_s
        self._bell = bell or asyncio.Event()
        self._failure: str | None = None
        self.steps = Steps(bound_s, told_s=bound_s / 2)

    def problem(self) -> str | None:
        return self._failure

    async def run(self, stop: asyncio.Event) -> None:
        async with beside(self._ring_on(stop), name=f"{self.name}.stop"):
            await self._call_until(stop)

    async def _call_until(self, stop: asyncio.Event) -> None:
        pause_s, again_s = self._every_s, AGAIN_S
        await rung(self._bell, timeout_s=pause_s * random.uniform(0, min(1.0, self._jitter * 2)))  # noqa: S311 -- spread, not secrecy
        while not stop.is_set():
            self._bell.clear()
            try:
                with self.steps.step():
                    found = await self._fn()
                self._failure = None
                pause_s, again_s = self._every_s if found else min(self._idle_s, pause_s * 2), AGAIN_S
                rest_s = pause_s
            except Exception as error:
                self._failure = f"failed: {cause_of(error)}"
                log.exception("periodic.failed", runner=self.name)
                rest_s, again_s = min(self._every_s, again_s), again_s * 2
            await rung(self._bell, timeout_s=rest_s * random.uniform(1 - self._jitter, 1 + self._jitter))  # noqa: S311 -- as above

    async def _ring_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._bell.set()


def cause_of(error: BaseException) -> str:
    """The kinds of error, for whoever operates the process: of a group, those of its members."""
    return ", ".join(dict.fromkeys(type(each).__name__ for each in _leaves(error)))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for each in error.exceptions:
        yield from _leaves(each)


def _due_s(steps: Steps) -> float:
    return steps.due_s


def _is_cancelled() -> bool:
    """Whether somebody wants this task to end. Libraries let the cancellation of tasks of their own escape."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
