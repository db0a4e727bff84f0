"""What goes wrong, in words a person can act on. Every StackError is printed as it is, without a traceback."""

from __future__ import annotations

from pathlib import Path

TAIL_LINES = 15


class StackError(Exception):
    """Something the person at the terminal can mend; the message says what and where."""


class PartFailedError(StackError):
    """One part did not come up."""

    def __init__(self, part: str, reason: str, log: Path) -> None:
        tail = "\n".join(f"    {line}" for line in last_lines(log))
        shown = f"\n  last lines of its log:\n{tail}" if tail else ""
        super().__init__(f"{part} failed: {reason}{shown}\n  its log: {log}")


def last_lines(path: Path, count: int = TAIL_LINES) -> list[str]:
    """The end of a log, without reading all of it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 64 * 1024))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except FileNotFoundError:
        return []
