"""A proxy that resets connections on demand: what a killed server does to its clients, a thousand times a minute."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Final, Self

_LINGER_NOT: Final = struct.pack("ii", 1, 0)  # close sends a reset


class ResettingProxy:
    """Listens on a free port of loopback for the length of a block, in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="resetting-proxy", daemon=True)
        self._ends: set[asyncio.StreamWriter] = set()
        self._refusing = self._silent = False
        self.port = 0
        self.resets = 0

    def reset(self) -> int:
        """Reset every connection there is; returns how many clients lost theirs."""
        return asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result()

    def refuse(self, refusing: bool) -> None:  # noqa: FBT001 -- reads well where it is called
        """Reset each new connection as soon as it is made, or no more."""
        self._refusing = refusing

    def silence(self, silent: bool) -> None:  # noqa: FBT001 -- as above
        """Keep connections open and pass nothing on, or pass on again."""
        self._silent = silent

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            _abort(writer)
            return
        try:
            there, here = await asyncio.open_connection(*self._target)
        except OSError:
            _abort(writer)
            return
        self._ends |= {writer, here}
        await asyncio.gather(self._pass(reader, here), self._pass(there, writer))
        for end in (writer, here):
            self._ends.discard(end)
            _abort(end)

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while data := await source.read(65_536):
                if not self._silent:
                    to.write(data)
                    await to.drain()
        if not to.is_closing():
            to.close()

    async def _reset(self) -> int:
        ends, self._ends = self._ends, set()
        for end in ends:
            _abort(end)
        self.resets += len(ends) // 2
        return len(ends) // 2

    async def _close(self) -> None:
        self._server.close()
        await self._reset()
        serving = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if serving:
            await asyncio.wait(serving, timeout=2)


def _abort(writer: asyncio.StreamWriter) -> None:
    peer = writer.get_extra_info("socket")
    if peer is not None:
        with contextlib.suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()
