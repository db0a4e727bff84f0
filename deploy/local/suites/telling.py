"""What of a suite's output is told on the terminal: its progress at once, the rest whole when it failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

_PROGRESS: Final = re.compile(r"\[ *\d+%\]$")
_SECTION: Final = re.compile(r"={3,} (?!test session starts).+ ={3,}$")


class Telling:
    """Takes a suite's lines. ``say`` is given those that are told while it runs."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lines: list[str] = []
        self._sections_at: int | None = None

    def take(self, line: str) -> None:
        if self._sections_at is None and _SECTION.match(line):
            self._sections_at = len(self._lines)
        elif self._sections_at is None and _PROGRESS.search(line):
            self._say(line)
        self._lines.append(line)

    @property
    def last(self) -> str:
        """The last line that says something."""
        return next((line.strip("= ") for line in reversed(self._lines) if line.strip("= ")), "said nothing")

    def why(self) -> Sequence[str]:
        """Of a suite that failed: the sections of pytest, or all of what ended before there were any."""
        return self._lines[self._sections_at or 0 :]
