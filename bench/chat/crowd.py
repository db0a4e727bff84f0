"""Thousands of devices that are mostly idle: they open, lose their node, come back where they were, and keep count.

Each knows the last seq of its dialog and resumes from it; a seq that is not the next one is a hole or a double.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import orjson
import uvloop

from chat.sockets import UPGRADE, text_frame

_AT_ONCE = 50
_AGAIN_S = 0.3
_CATCH_UP_S = 60.0
_SEQ = re.compile(rb'^\{"type":"[a-z]+\.[a-z]+","dialog_id":"[0-9a-f-]{36}","seq":(\d+)')


@dataclass(frozen=True, slots=True)
class Device:
    """``seq``: the last one it has of its dialog; None: it goes on from now, and counts nothing."""

    token: str
    dialog_id: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Ending:
    """Over all devices: seqs that were left out or came twice, devices that have not got to the end, connects tried."""

    holes: int
    doubled: int
    behind: int
    tries: int


class Socket(asyncio.Protocol):
    """One connection of a device."""

    def __init__(self, state: State, port: int) -> None:
        self._state, self._host = state, f"127.0.0.1:{port}".encode()
        self._buffer = b""
        self._upgraded = False
        self._mark = b'{"type":"ready"' if state.fresh else b'{"type":"resumed"'
        self.live: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport
        transport.write(UPGRADE % self._host)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head[:20]:
                self.transport.abort()
                return
            self._upgraded, self._buffer = True, rest
            self.transport.write(text_frame(self._state.auth()))
        while (payload := self._next()) is not None:
            self._state.take(payload)
            if payload.startswith(self._mark) and not self.live.done():
                self.live.set_result(None)

    def _next(self) -> bytes | None:
        """The payload of the next whole frame."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4]), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10]), 10
        if len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[start : start + size]

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.lost.set()
        if not self.live.done():
            self.live.set_exception(ConnectionError(str(exc)))


class State:
    """A device over its connections."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.fresh = device.seq is None
        self.seq = device.seq or 0
        self.holes = self.doubled = self.tries = 0
        self.lost = asyncio.Event()

    @property
    def dialog_id(self) -> str:
        return self._device.dialog_id

    def auth(self) -> bytes:
        auth = {"type": "auth", "token": self._device.token}
        return orjson.dumps(auth if self.fresh else {**auth, "resume": {"dialogs": {self.dialog_id: self.seq}}})

    def take(self, payload: bytes) -> None:
        found = None if self.fresh else _SEQ.match(payload)
        if found:
            seq = int(found[1])
            self.doubled += seq <= self.seq
            self.holes += max(0, seq - self.seq - 1)
            self.seq = max(self.seq, seq)

    async def connect(self, port: int) -> float:
        """Until it is caught up, however many connections that takes. Returns the seconds from the first try."""
        began, loop = time.monotonic(), asyncio.get_running_loop()
        while True:
            self.tries += 1
            try:
                _, socket = await loop.create_connection(lambda: Socket(self, port), "127.0.0.1", port)
                self.lost.clear()
                await socket.live
            except OSError:
                await asyncio.sleep(_AGAIN_S)
            else:
                return time.monotonic() - began


class Crowd:
    """The caller's side."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def _ask(self, *what: Any) -> Any:
        self._pipe.send(what)
        return await asyncio.to_thread(self._pipe.recv)

    async def open(self, port: int) -> list[float]:
        """All of them, some at a time as fast as they are taken. Seconds until each was caught up."""
        return list(await self._ask("open", port))

    async def come_back(self, port: int, within_s: float) -> list[float]:
        """Wait until all have lost their node; each comes to that port at a random moment within that time."""
        return list(await self._ask("come_back", port, within_s))

    async def ending(self, last_seqs: dict[str, int]) -> Ending:
        """Wait until everybody has got to the end of their dialog, or ``_CATCH_UP_S`` have passed."""
        found = await self._ask("ending", last_seqs)
        assert isinstance(found, Ending)
        return found


@asynccontextmanager
async def crowd(devices: Sequence[Device]) -> AsyncIterator[Crowd]:
    """A process of clients."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_process, args=(list(devices), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Crowd(mine)
    finally:
        mine.close()
        await asyncio.to_thread(process.join, 10)
        if process.is_alive():
            process.kill()


def _process(devices: list[Device], pipe: Connection) -> None:
    uvloop.run(_serve([State(each) for each in devices], pipe))


async def _serve(states: list[State], pipe: Connection) -> None:
    answers: dict[str, Callable[..., Awaitable[Any]]] = {"open": _open, "come_back": _come_back, "ending": _ending}
    while True:
        try:
            what, *arguments = await asyncio.to_thread(pipe.recv)
        except EOFError:
            return
        pipe.send(await answers[what](states, *arguments))


async def _open(states: list[State], port: int) -> list[float]:
    took: list[float] = []
    for start in range(0, len(states), _AT_ONCE):
        took += await asyncio.gather(*(each.connect(port) for each in states[start : start + _AT_ONCE]))
    return took


async def _come_back(states: list[State], port: int, within_s: float) -> list[float]:
    async def one(state: State) -> float:
        await state.lost.wait()
        await asyncio.sleep(random.uniform(0, within_s))
        return await state.connect(port)

    return list(await asyncio.gather(*(one(each) for each in states)))


async def _ending(states: list[State], last_seqs: dict[str, int]) -> Ending:
    deadline = time.monotonic() + _CATCH_UP_S
    while any(each.seq < last_seqs[each.dialog_id] for each in states):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    return Ending(
        holes=sum(each.holes for each in states),
        doubled=sum(each.doubled for each in states),
        behind=sum(each.seq < last_seqs[each.dialog_id] for each in states),
        tries=sum(each.tries for each in states),
    )
