"""Who reads what: each reader has a queue of its own, and gets what it asked for from that moment on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


@dataclass(eq=False, slots=True)
class Reader:
    """``dialog_id`` None: everything. An exception in the queue ends it."""

    dialog_id: str | None
    queue: asyncio.Queue[Frame | Exception] = field(default_factory=asyncio.Queue)

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self._frames()

    async def _frames(self) -> AsyncIterator[Frame]:
        while True:
            yield await self.next()

    async def next(self) -> Frame:
        """The next frame. Raises ``ChatClosedError`` when there will be none."""
        found = await self.queue.get()
        if isinstance(found, Exception):
            self.queue.put_nowait(found)
            raise found
        return found


class Readers:
    """All readers of one client."""

    def __init__(self) -> None:
        self._readers: list[Reader] = []

    def add(self, dialog_id: str | None) -> Reader:
        reader = Reader(dialog_id)
        self._readers.append(reader)
        return reader

    def remove(self, reader: Reader) -> None:
        if reader in self._readers:
            self._readers.remove(reader)

    def give(self, frame: Frame) -> None:
        for reader in self._readers:
            if reader.dialog_id is None or reader.dialog_id == frame.get("dialog_id"):
                reader.queue.put_nowait(frame)

    def end(self, error: Exception) -> None:
        for reader in self._readers:
            reader.queue.put_nowait(error)
