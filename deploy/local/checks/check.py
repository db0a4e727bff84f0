"""One check: a command, and how long it may take. Its output is shown only when it fails."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command run in the checkout; exit code 0 is well."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    name: str
    passed: bool
    elapsed_s: float
    output: str


def run_check(check: Check) -> Outcome:
    began = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | check.environment
    try:
        result = subprocess.run(
            check.command,
            cwd=CHECKOUT,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as timeout:
        output = f"not done after {TIMEOUT_S} s\n{timeout.output or ''}"
        return Outcome(name=check.name, passed=False, elapsed_s=time.monotonic() - began, output=output)
    elapsed_s = time.monotonic() - began
    return Outcome(name=check.name, passed=result.returncode == 0, elapsed_s=elapsed_s, output=result.stdout)
