"""The processes of all suites: each leads a group of its own, so that an interrupt ends it with all it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

GRACE_S: Final = 60.0


class StoppedError(Exception):
    """Nothing is started any more."""


class Processes:
    """Runs commands from several threads, and can stop them all."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, command: Sequence[str], environment: Mapping[str, str], take: Callable[[str], None]) -> int:
        """Give ``take`` each line that the command says; return its exit code.

        Raises ``StoppedError`` after ``stop``.
        """
        with self._lock:
            if self._stopped:
                raise StoppedError
            process = subprocess.Popen(
                command,
                cwd=self._checkout,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
            self._running.add(process)
        with process:
            for line in process.stdout or ():
                take(line.decode(errors="replace").rstrip("\n"))
        code = process.returncode
        with self._lock:
            self._running.discard(process)
            if self._stopped:
                raise StoppedError
        return code

    def stop(self) -> None:
        """What Ctrl-C does to a command in a terminal; kill -9 for what does not end by it, or at a second Ctrl-C."""
        with self._lock:
            self._stopped = True
        self._signal(signal.SIGINT)
        deadline = time.monotonic() + GRACE_S
        with contextlib.suppress(KeyboardInterrupt):
            while self._left() and time.monotonic() < deadline:
                time.sleep(0.1)
        self._signal(signal.SIGKILL)

    def _left(self) -> list[subprocess.Popen[bytes]]:
        with self._lock:
            return list(self._running)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
