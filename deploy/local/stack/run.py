"""Runs one of our Python commands to its end, with a clean environment, and says what it said when it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from stack.context import Context
from stack.failure import TAIL_LINES, StackError
from stack.supervision import tool_environment

TIMEOUT_S = 300.0


def run_python(context: Context, task: str, arguments: Sequence[str], *, environment: Mapping[str, str]) -> None:
    """Run `.venv/bin/python ARGUMENTS`; `task` names its log, whose end is the message when it fails."""
    result = subprocess.run(
        [str(context.layout.python), *arguments],
        env={**tool_environment(context), **environment},
        cwd=context.layout.checkout,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    log = context.layout.logs / f"{task}.log"
    log.write_text(result.stdout, encoding="utf-8")
    if result.returncode != 0:
        tail = "\n".join(f"    {line}" for line in result.stdout.splitlines()[-TAIL_LINES:])
        message = f"{task} failed with exit code {result.returncode}\n{tail}\n  its log: {log}"
        raise StackError(message)
