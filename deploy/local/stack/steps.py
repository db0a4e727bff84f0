"""Runs steps that need each other, as many at once as can be. Invariant: after a failure no new step begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do once; `needs` are names of steps that must be done before."""

    name: str
    act: Callable[[], None]
    needs: tuple[str, ...] = ()


def run_steps(steps: Sequence[Step], *, at_once: int) -> None:
    """Run all steps. The first failure is raised when the steps already running have ended."""
    waiting: Mapping[str, Step] = {step.name: step for step in steps}
    done: set[str] = set()
    running: dict[Future[None], str] = {}
    failure: BaseException | None = None
    pool = ThreadPoolExecutor(max_workers=at_once)
    try:
        while waiting or running:
            if failure is None:
                startable = [step for step in waiting.values() if done.issuperset(step.needs)]
                waiting = {name: step for name, step in waiting.items() if step not in startable}
                running |= {pool.submit(step.act): step.name for step in startable}
            if not running:
                break
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                failure = failure or future.exception()
                done.add(name)
    finally:
        pool.shutdown(wait=False)  # nothing runs by here, unless the person at the terminal interrupted
    if failure is not None:
        raise failure
    if waiting:
        message = f"steps that can never run: {', '.join(waiting)}"
        raise ValueError(message)
