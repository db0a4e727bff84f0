"""Writes log lines to stdout, a batch of them with one system call.

Access lines may wait a tenth of a second; any other line takes those waiting with it, so the order on the way out is
the order of writing. A line is text without its line feed.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
from typing import Final

FLUSH_S: Final = 0.1
_WAITING_MAX: Final = 256


class Lines:
    """A buffer before one file descriptor."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor
        self._waiting: list[str] = []
        self._scheduled = False
        atexit.register(self.flush)

    def write(self, line: str) -> None:
        """Write now."""
        self._waiting.append(line)
        self.flush()

    def later(self, line: str) -> None:
        """Write within ``FLUSH_S``. Call it inside a running event loop."""
        self._waiting.append(line)
        if len(self._waiting) >= _WAITING_MAX:
            self.flush()
        elif not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(FLUSH_S, self._flush_scheduled)

    def flush(self) -> None:
        """Write what waits. A closed or full stdout loses lines; it never stops the service."""
        if not self._waiting:
            return
        content = "\n".join(self._waiting) + "\n"
        self._waiting.clear()
        try:
            if self._descriptor is None:
                sys.stdout.write(content)
                sys.stdout.flush()
            else:
                _write_all(self._descriptor, content.encode())
        except (OSError, ValueError):
            return

    def _flush_scheduled(self) -> None:
        self._scheduled = False
        self.flush()


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


lines: Final = Lines()
