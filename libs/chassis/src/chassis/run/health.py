"""Health of one process: alive, started, ready, each with its reasons.

Invariants: a process that drains is never ready; a check that does not answer in two seconds has failed; where
requests are served, what hinders a runner degrades the process and never takes it from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from chassis.run.runners import Supervised
from chassis.run.service import Check

_CHECK_S: Final = 2.0


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
        unready.update({name: failure for name, failure in failures if failure})
        return unready, degraded


async def _run(name: str, check: Check) -> tuple[str, str | None]:
    try:
        async with asyncio.timeout(_CHECK_S):
            await check()
    except TimeoutError:
        return name, f"no answer in {_CHECK_S:g} s"
    except Exception as error:  # noqa: BLE001 -- any failure is a reason
        return name, type(error).__name__
    return name, None
