"""The instances that suites run on: infrastructure up before a suite, services down after one that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from suites.processes import Processes

NAMES: Final = ("test", "beside")
_LOCAL: Final = Path(__file__).resolve().parents[1]


class Instance:
    """``ran_before``: a person started it, so it is left as it was."""

    def __init__(self, name: str, processes: Processes) -> None:
        self.name = name
        self._processes = processes
        command = self._command("pid", "postgres")
        environment = self._of_stack()
        self._ran_before = subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0

    @property
    def environment(self) -> dict[str, str]:
        """Of a suite that runs on it."""
        return {**os.environ, "SAMPAN_INSTANCE": self.name}

    def up(self, take: Callable[[str], None]) -> bool:
        """Start what is not up of the infrastructure; whether all is."""
        return self._processes.run(self._command("up", "--only", "infra"), self._of_stack(), take) == 0

    def down(self) -> None:
        """Also after an interrupt."""
        if not self._ran_before:
            subprocess.run(self._command("down"), env=self._of_stack(), capture_output=True, check=False)

    def _command(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "stack", *words)

    def _of_stack(self) -> dict[str, str]:
        return {**self.environment, "PYTHONPATH": str(_LOCAL)}
