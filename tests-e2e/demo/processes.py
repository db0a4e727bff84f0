"""Which process runs a part of the stack, as its process manager knows it."""

from __future__ import annotations

import os
import subprocess
import sys

from demo.facts import CHECKOUT, instance_name


def pid_of(part: str) -> int:
    """The process id of a running part. Raises ``LookupError`` when it does not run."""
    result = subprocess.run(
        [sys.executable, "-m", "stack", "pid", part],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "deploy" / "local"), "SAMPAN_INSTANCE": instance_name()},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LookupError(f"{part} does not run: {result.stderr.strip()}")
    return int(result.stdout)
