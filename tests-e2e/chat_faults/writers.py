"""Writers that say each message under its own id until it is acknowledged, over however many connections that takes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from chatclient import ChatClient


@dataclass(slots=True)
class Progress:
    """What was acknowledged: by dialog, the seq that each client_message_id was answered with."""

    wanted: int
    acknowledged: dict[str, dict[str, int]]
    count: int = 0
    replayed: int = 0
    _waiters: list[tuple[int, asyncio.Event]] = field(default_factory=list)

    def note(self, dialog_id: str, message_id: str, seq: int, *, replayed: bool) -> None:
        self.acknowledged[dialog_id][message_id] = seq
        self.count += 1
        self.replayed += replayed
        for count, event in self._waiters:
            if self.count >= count:
                event.set()

    async def reaches(self, share: float, timeout_s: float) -> None:
        """Wait until this share of all messages is acknowledged."""
        event = asyncio.Event()
        waiter = round(self.wanted * share), event
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        finally:
            self._waiters.remove(waiter)


async def write(chat: ChatClient, dialog_id: str, numbers: Iterator[int], progress: Progress, *, at_once: int) -> None:
    """Everything in ``numbers``, so many at once."""

    async def say() -> None:
        for number in numbers:
            message_id = str(uuid.uuid4())
            sent = await chat.send_text(dialog_id, f"number {number}", client_message_id=message_id)
            progress.note(dialog_id, message_id, sent.seq, replayed=sent.replayed)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(say())
