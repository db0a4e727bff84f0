"""The load: a process of its own that opens the clients of a plan, writes, and counts what they read.

Protocol with the caller, over a pipe: ``ready`` once everybody is in and warm; on ``go`` the measured time begins, with
``measured`` it ends, then comes the outcome, once everything has arrived or ``DRAIN_S`` have passed.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import uvloop
from cpu import own_cpu_s

from chat.matrix import MatrixMember
from chat.plan import Outcome, Plan
from chat.sockets import HttpWriter, Member, Stalled
from chat.tally import Tally

DRAIN_S = 20.0
_OPENED_AT_ONCE = 50
_TICK_S = 0.001
Send = Callable[[int], None]
Sample = Callable[[], Any]


async def drive(plan: Plan, sample: Sample) -> tuple[Outcome, Any, Any]:
    """Run a plan in a process of its own. ``sample`` is called right before and right after the measured time."""
    mine, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_process, args=(plan, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        await _next(mine, "ready")
        before = sample()
        mine.send("go")
        await _next(mine, "measured")
        after = sample()
        outcome = await _next(mine, None)
        assert isinstance(outcome, Outcome)
        return outcome, before, after
    finally:
        mine.close()
        await asyncio.to_thread(process.join, 10)
        if process.is_alive():
            process.kill()


async def _next(pipe: Connection, wanted: str | None) -> object:
    try:
        found = await asyncio.to_thread(pipe.recv)
    except EOFError:
        raise RuntimeError("the clients' process died; its error stands above") from None
    if wanted is not None and found != wanted:
        raise RuntimeError(f"expected {wanted}, got {found!r}")
    return found


def _process(plan: Plan, pipe: Connection) -> None:
    uvloop.run(_run(plan, pipe))


async def _run(plan: Plan, pipe: Connection) -> None:
    tally = Tally(plan)
    async with _clients(plan, tally) as (sends, stalled):
        gc.disable()
        load = _Load(plan, tally, sends)
        writing = asyncio.create_task(load.write())
        await asyncio.sleep(plan.warm_s)
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)
        before, began, cpu_s = tally.so_far(), time.monotonic(), own_cpu_s()
        await asyncio.sleep(plan.seconds)
        after, ended, cpu_s = tally.so_far(), time.monotonic(), own_cpu_s() - cpu_s
        load.stopping.set()
        pipe.send("measured")
        await writing
        deadline = time.monotonic() + DRAIN_S
        while not tally.complete and time.monotonic() < deadline:  # noqa: ASYNC110 -- counting costs less than an event
            await asyncio.sleep(0.05)
        made = Outcome(
            members=tally.members,
            seconds=ended - began,
            stored=after[0] - before[0],
            deliveries=after[1] - before[1],
            driver_cpu_s=cpu_s,
            sent_away=sum([await each.was_sent_away() for each in stalled]),
        )
        pipe.send(tally.outcome(began, ended, made))


class _Load:
    """Writers in a closed loop, or all together at a rate: then the clock of a message runs from when it was due."""

    def __init__(self, plan: Plan, tally: Tally, sends: Sequence[Send]) -> None:
        self._plan, self._tally, self._sends = plan, tally, sends
        self._writer_of: dict[int, Send] = {}
        self.stopping = asyncio.Event()

    async def write(self) -> None:
        if self._plan.rate_per_s:
            await self._paced()
        else:
            self._tally.on_acked = self._again
            for send in self._sends:
                for _ in range(self._plan.in_flight):
                    self._say(send)
            await self.stopping.wait()

    def _say(self, send: Send, at: float | None = None) -> None:
        number = self._tally.begin(time.monotonic() if at is None else at)
        self._writer_of[number] = send
        send(number)

    def _again(self, number: int) -> None:
        send = self._writer_of.pop(number)
        if not self.stopping.is_set():
            self._say(send)

    async def _paced(self) -> None:
        due, turn = time.monotonic(), 0
        while not self.stopping.is_set():
            while due <= time.monotonic():
                number = self._tally.begin(due)
                self._sends[turn % len(self._sends)](number)
                due, turn = due + 1 / self._plan.rate_per_s, turn + 1
            await asyncio.sleep(min(_TICK_S, max(0.0, due - time.monotonic())))


@asynccontextmanager
async def _clients(plan: Plan, tally: Tally) -> AsyncIterator[tuple[list[Send], list[Stalled]]]:
    run = random.getrandbits(32)
    async with AsyncExitStack() as stack:
        if plan.kind == "matrix":
            yield await _matrix_clients(plan, tally, run, stack), []
        else:
            sends = await _socket_clients(plan, tally, run, stack)
            yield sends, await _stalled_clients(plan, stack)


async def _socket_clients(plan: Plan, tally: Tally, run: int, stack: AsyncExitStack) -> list[Send]:
    loop, host = asyncio.get_running_loop(), f"127.0.0.1:{plan.port}"
    members: list[Member] = []
    resume = None if plan.resume_from is None else {"dialogs": {plan.room_id: plan.resume_from}}

    async def open_one(credential: str) -> None:
        member = partial(Member, host, credential, tally, run, resume)
        _, made = await loop.create_connection(member, "127.0.0.1", plan.port)
        stack.callback(made.transport.abort)
        await made.ready
        members.append(made)

    for start in range(0, len(plan.credentials), _OPENED_AT_ONCE):
        await asyncio.gather(*(open_one(each) for each in plan.credentials[start : start + _OPENED_AT_ONCE]))
    if plan.kind == "frames":
        return [each.send for each in members[: plan.writers or None]]
    port = plan.writer_port or plan.port
    writers: list[Send] = []
    for credential in plan.writer_credentials or plan.credentials:
        _, writer = await loop.create_connection(
            partial(HttpWriter, f"127.0.0.1:{port}", credential, tally, run), "127.0.0.1", port
        )
        stack.callback(writer.transport.abort)
        writers.append(writer.send)
    return writers


async def _stalled_clients(plan: Plan, stack: AsyncExitStack) -> list[Stalled]:
    """With small buffers of the kernel, so that it is the server's that fill."""
    loop, made = asyncio.get_running_loop(), []
    for credential in plan.stalled_credentials:
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.setblocking(False)
        await loop.sock_connect(small, ("127.0.0.1", plan.port))
        _, stalled = await loop.create_connection(partial(Stalled, f"127.0.0.1:{plan.port}", credential), sock=small)
        stack.callback(stalled.transport.abort)
        await stalled.ready
        made.append(stalled)
    return made


async def _matrix_clients(plan: Plan, tally: Tally, run: int, stack: AsyncExitStack) -> list[Send]:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
    url = f"http://127.0.0.1:{plan.port}"
    members = [MatrixMember(url, each, tally, session, run) for each in plan.credentials]
    for each in members:
        stack.callback(each.close)
    await asyncio.gather(*(each.connect() for each in members))
    return [each.send for each in members[: plan.writers or None]]
