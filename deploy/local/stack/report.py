"""What a person sees while the stack starts and stops: one line per part, with its time."""

from __future__ import annotations

import sys
import threading
import time

_LOCK = threading.Lock()


class Report:
    """Lines to stdout; quiet when asked. Times are seconds since the report began."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._began = time.monotonic()

    def line(self, part: str, text: str) -> None:
        if self._quiet:
            return
        with _LOCK:
            sys.stdout.write(f"  {part:<14} {text:<34} {time.monotonic() - self._began:5.1f} s\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        if not self._quiet:
            with _LOCK:
                sys.stdout.write(text + "\n")
                sys.stdout.flush()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began
