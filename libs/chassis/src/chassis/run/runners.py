"""Background work inside a role: something with a name that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, Protocol

import structlog

from chassis.run.repeating import cause_of
from chassis.telemetry import metrics
from kernel.backoff import Backoff, BackoffPolicy
from kernel.loops import pause
from kernel.steps import Steps, in_time
from kernel.tasks import stop_tasks

log = structlog.get_logger()

RESTART: Final = BackoffPolicy(first_s=0.5, cap_s=30.0)
_CALM_S: Final = 60.0
_CUT_S: Final = 5.0  # for a runner that is cut to close what it holds


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
        restart = Backoff(RESTART)
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
                log.exception("runner.failed", runner=self.name)
            metrics.runner_restarts.labels(self.name).inc()
            if time.monotonic() - started > _CALM_S:
                restart.reset()
            await pause(stop, restart.next_s())
            self._failure = None


@asynccontextmanager
async def running(runners: Sequence[Any], drain_s: float) -> AsyncIterator[None]:
    """All at work for the length of the block; then they are asked to stop, and cut when they do not in ``drain_s``."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(runner.run(stop), name=runner.name) for runner in runners]
    try:
        yield
    finally:
        begun = time.monotonic()
        stop.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_s)
            for task in late:
                log.error("runner.cut", runner=task.get_name(), after_s=drain_s)
            await stop_tasks(*tasks, timeout_s=_CUT_S)
        log.info("runners.drained", seconds=round(time.monotonic() - begun, 3))


def _due_s(steps: Steps) -> float:
    return steps.due_s


def _is_cancelled() -> bool:
    """Whether somebody wants this task to end. Libraries let the cancellation of tasks of their own escape."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
