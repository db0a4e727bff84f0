"""Writes log lines to stdout. A stdout that is closed loses lines; it never stops the service."""

from __future__ import annotations

import os
from typing import Final

STDOUT: Final = 1


class Lines:
    """Text, a line or many, to one file descriptor."""

    def __init__(self, descriptor: int = STDOUT) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> None:
        """Write now, with a line feed at the end."""
        view = memoryview(f"{text}\n".encode(errors="replace"))
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            return


lines: Final = Lines()
