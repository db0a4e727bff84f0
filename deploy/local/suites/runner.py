"""Runs suites, as many at once as there are instances, and tells what each came to as soon as it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from suites.console import Console
from suites.instances import Instance
from suites.processes import Processes, StoppedError
from suites.results import Result, read_results, totals
from suites.suite import Suite, command_of, log_of, results_of
from suites.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A suite that ran to its end."""

    suite: Suite
    code: int
    seconds: float
    results: Sequence[Result]


class Runner:
    """Its threads share the queue of suites and the console."""

    def __init__(self, suites: Sequence[Suite], logs: Path, processes: Processes, console: Console) -> None:
        self._waiting = list(suites)
        self._logs = logs
        self._processes = processes
        self._console = console
        self._lock = threading.Lock()
        self.ended: list[Ended] = []

    def run(self, instances: Sequence[Instance]) -> None:
        """Until no suite waits or runs. An interrupt of this thread is the caller's to handle."""
        threads = [threading.Thread(target=self._work, args=(instance,), daemon=True) for instance in instances]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, instance: Instance) -> None:
        while (suite := self._next()) is not None:
            try:
                self._run(suite, instance)
            except StoppedError:
                return

    def _next(self) -> Suite | None:
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def _run(self, suite: Suite, instance: Instance) -> None:
        began = time.monotonic()
        telling = Telling(self._console.say if suite.folder is not None else _keep_quiet)
        results_of(self._logs, suite).unlink(missing_ok=True)
        with log_of(self._logs, suite).open("w", encoding="utf-8", buffering=1) as log:

            def take(line: str) -> None:
                log.write(line + "\n")
                telling.take(line)

            code = self._run_on(suite, instance, take)
        results = read_results(results_of(self._logs, suite))
        ended = Ended(suite=suite, code=code, seconds=time.monotonic() - began, results=results)
        came_to = totals(results) if results else telling.last
        self._console.say(
            f"--- {suite.name}: {'FAILED: ' if code else ''}{came_to}, {ended.seconds:.0f} s",
            *(telling.why() if code else ()),
        )
        self.ended.append(ended)

    def _run_on(self, suite: Suite, instance: Instance, take: Callable[[str], None]) -> int:
        if suite.folder is not None and not instance.up(take):
            return 1
        try:
            return self._processes.run(command_of(suite, self._logs), instance.environment, take)
        finally:
            if suite.starts_services:
                instance.down()


def _keep_quiet(_: str) -> None: ...
