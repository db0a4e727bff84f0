"""A service's role as a child process that a test can kill, stop and continue."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.request import urlopen

from testkit.wait import eventually


class Killable:
    """A process that lives at most as long as the block of ``async with``."""

    _process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        raise NotImplementedError

    def send(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self} was not started")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()


class Child(Killable):
    """``python -m SERVICE ROLE`` with its output in a file."""

    def __init__(self, service: str, *arguments: str, environment: Mapping[str, str], log: Path) -> None:
        self.service, self.arguments, self.log = service, arguments, log
        self._environment = dict(environment)

    async def start(self, **extra: str) -> None:
        """Start (again); ``extra`` is added to the environment of this start only."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.service,
                *self.arguments,
                env={**os.environ, **self._environment, **extra},
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def returncode(self) -> int | None:
        return self._running.returncode

    async def stop(self, timeout_s: float = 10.0) -> int:
        """SIGTERM and wait for the drain. Returns the exit code."""
        if self._running.returncode is None:
            self._running.terminate()
        return await asyncio.wait_for(self._running.wait(), timeout_s)

    async def died(self, timeout_s: float = 20.0) -> int:
        """Wait until it died by itself (a fault point). Returns the exit code, -9 for SIGKILL."""
        return await asyncio.wait_for(self._running.wait(), timeout_s)

    async def ready(self, ops_port: int, timeout_s: float = 20.0) -> None:
        """Wait for /readyz to say 200."""

        def probe() -> bool:
            try:
                with urlopen(f"http://127.0.0.1:{ops_port}/readyz", timeout=1) as answer:
                    return bool(answer.status == 200)
            except HTTPError as unready:
                unready.close()
                return False

        await eventually(
            lambda: asyncio.to_thread(probe),
            timeout_s=timeout_s,
            every_s=0.1,
            what=f"{self.service} ready, see {self.log}",
        )


@asynccontextmanager
async def child(service: str, *arguments: str, environment: Mapping[str, str], log: Path) -> AsyncIterator[Child]:
    """A running child, killed at the end of the block."""
    async with Child(service, *arguments, environment=environment, log=log) as running:
        yield running
