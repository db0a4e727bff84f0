"""Health of one process: alive, started, ready, each with its reasons.

Invariants: a process that drains is never ready; a check that does not answer in two seconds has failed; where
requests are served, what hinders a runner degrades the process and never takes it from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from chassis.outages import NotReadyError
from chassis.run.runners import Supervised
from chassis.run.service import Check
from kernel.tasks import within

_CHECK_S: Final = 2.0


class DegradedError(Exception):
    """Raised by a check of a part whose every use has an answer without it: the process stays ready."""


class Health:
    """What the probes are told."""

    def __init__(self) -> None:
        self.started = False
        self.draining = False
        self._checks: Mapping[str, Check] = {}
        self._runners: Sequence[Supervised] = ()
        self._serving = False

    def watch(self, checks: Mapping[str, Check], runners: Sequence[Supervised], *, serving: bool) -> None:
        """What readiness depends on, once it is wired. ``serving``: the process answers requests of clients."""
        self._checks, self._runners, self._serving = checks, runners, serving

    async def reasons(self) -> tuple[dict[str, str], dict[str, str]]:
        """Why the process is not ready; and what is degraded without making it so."""
        unready: dict[str, str] = {}
        degraded: dict[str, str] = {}
        if not self.started:
            unready["process"] = "starting"
        if self.draining:
            unready["process"] = "draining"
        for runner in self._runners:
            problem = runner.problem()
            if problem is not None:
                (unready if runner.critical and not self._serving else degraded)[runner.name] = problem
        failures = await asyncio.gather(*(_run(name, check) for name, check in self._checks.items()))
        for name, failure in failures:
            if failure is not None:
                (degraded if isinstance(failure, DegradedError) else unready)[name] = _told(failure)
        return unready, degraded


async def _run(name: str, check: Check) -> tuple[str, Exception | None]:
    try:
        await within(_CHECK_S, _awaited(check))
    except Exception as error:  # noqa: BLE001 -- any failure is a reason
        return name, error
    return name, None


async def _awaited(check: Check) -> None:
    await check()


def _told(failure: Exception) -> str:
    cause = failure.__cause__ if isinstance(failure, DegradedError) and failure.__cause__ else failure
    if isinstance(cause, NotReadyError):
        return str(cause)
    return f"no answer in {_CHECK_S:g} s" if isinstance(cause, TimeoutError) else type(cause).__name__
