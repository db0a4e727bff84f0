"""Shows one part's log: its end, and on a terminal what comes after."""

from __future__ import annotations

import os
import sys

from stack.failure import StackError
from stack.layout import current_layout

LINES = 200


def logs(part: str | None) -> None:
    """Replaces this process by `tail`."""
    folder = current_layout().logs
    present = sorted(path.stem for path in folder.glob("*.log"))
    if part is None or part not in present:
        message = f"say which: SERVICE={'|'.join(present)}" if present else f"no logs yet in {folder}"
        raise StackError(message)
    follow = ["-F"] if sys.stdout.isatty() else []
    os.execvp("tail", ["tail", "-n", str(LINES), *follow, str(folder / f"{part}.log")])  # noqa: S606 -- this process ends as tail
