"""Devices that read and keep their own log of every dialog, exactly as it came.

``Device`` orders nothing and drops nothing, so its log is what the server gave. ``follow_client`` logs what
``chatclient`` gives its user.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable

import orjson

from chat_faults.wire import Wire
from chatclient import ChatClient

BEAT_S = 15.0
Log = list[tuple[int, str | None]]


class Device:
    """It keeps one number a dialog, the last seq it was given, and comes back with these whenever the line breaks."""

    def __init__(self, base_url: str, token: Callable[[], Awaitable[str]], dialog_ids: Iterable[str]) -> None:
        self._base_url, self._token = base_url, token
        self.logs: dict[str, Log] = {each: [] for each in dialog_ids}
        self.connections = 0
        self.surprises: list[str] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                wire = await Wire.open(self._base_url, self._take)
            except (OSError, TimeoutError):
                await asyncio.sleep(random.uniform(0.05, 0.5))
                continue
            try:
                self.connections += 1
                wire.say(json.dumps({"type": "auth", "token": await self._token(), "resume": self._resume()}).encode())
                while not wire.closed.done():
                    await asyncio.wait([wire.closed], timeout=BEAT_S)
                    wire.say(b'{"type":"ping"}')
            finally:
                wire.abort()

    def _resume(self) -> dict[str, dict[str, int]]:
        return {"dialogs": {dialog_id: log[-1][0] if log else 0 for dialog_id, log in self.logs.items()}}

    def _take(self, text: bytes) -> None:
        frame = orjson.loads(text)
        if "seq" in frame and frame.get("dialog_id") in self.logs:
            self.logs[frame["dialog_id"]].append(entry(frame))
        elif frame["type"] in {"gone", "too_old"}:
            self.surprises.append(text.decode())


async def follow_client(chat: ChatClient, dialog_id: str, log: Log) -> None:
    """Until cancelled."""
    with chat.reading(dialog_id) as events:
        async for frame in events:
            if "seq" in frame:
                log.append(entry(frame))


def entry(frame: dict) -> tuple[int, str | None]:
    if frame["type"] != "message.new":
        return frame["seq"], None
    return frame["seq"], frame["message"]["client_message_id"]
