"""Where all suites speak: the terminal and a file, a few whole lines at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class Console:
    """Used by several threads."""

    def __init__(self, log: Path) -> None:
        self._lock = threading.Lock()
        self._log = log.open("w", encoding="utf-8")

    def say(self, *lines: str) -> None:
        """Lines that stay together."""
        text = "\n".join(lines) + "\n"
        with self._lock:
            self._log.write(text)
            self._log.flush()
            print(text, end="", flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._log.close()
