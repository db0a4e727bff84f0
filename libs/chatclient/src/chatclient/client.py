"""One person's device: a socket that comes back, the streams that go through it, and what waits to be sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from chatclient.backoff import Backoff
from chatclient.errors import ChatClosedError
from chatclient.listening import Frame, Reader, Readers
from chatclient.ordering import Ordering
from chatclient.sending import Sending, Sent

TokenSource = Callable[[], Awaitable[str]]
"""Gives an access token that is still good for a while; called for every connection and before a token expires."""

# The server would say the same again.
FINAL_CODES: Final = frozenset({4400, 4403, 4409, 4413})
UNAUTHENTICATED: Final = 4401
_OPEN_TIMEOUT_S: Final = 10.0
_ASK_AGAIN_S: Final = 2.0
_STOP_S: Final = 1.0
_STOPS_MAX: Final = 3
_SILENCE_HEARTBEATS: Final = 2.5
_REFUSALS_MAX: Final = 3
_ACCOUNT: Final = "account_seq"
_POSITIONS_MAX: Final = 1_000
_LATER_MAX: Final = 200
_KEPT: Final = frozenset({"resume", "subscribe", "ack"})


class ChatClient:
    """Use as ``async with``. ``positions``: the last seq held of each dialog, from which to go on.

    Without a position, a dialog begins with the first event that comes. ``ticket``: authenticate with a one-use ticket
    instead of showing the token to the socket; while no ticket can be had, the token is shown all the same.
    """

    def __init__(
        self,
        base_url: str,
        token: str | TokenSource,
        *,
        positions: Mapping[str, int] | None = None,
        account_seq: int | None = None,
        ticket: bool = True,
        session: aiohttp.ClientSession | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._ticket = ticket
        self._session, self._owns_session = session, session is None
        self._backoff = backoff or Backoff()
        self._streams = {dialog_id: Ordering(seq) for dialog_id, seq in (positions or {}).items()}
        self._account = Ordering(account_seq, key=_ACCOUNT)
        self._asked_at: dict[str, float] = {}
        self._later: list[Mapping[str, Any]] = []
        self._sending = Sending()
        self._readers = Readers()
        self._watched: list[str] = []
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._live = asyncio.Event()
        self._readied = asyncio.Event()
        self._ended: ChatClosedError | None = None
        self._refusals = 0
        self._heard_at = 0.0
        self._retry_after_s: float | None = None
        self._hushed: aiohttp.ClientWebSocketResponse | None = None
        self._saying_slowly: asyncio.Task[None] | None = None
        self.connections = 0
        self.ready: Frame = {}

    async def __aenter__(self) -> Self:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Say goodbye. Readers and unanswered sends end with ``ChatClosedError``."""
        self._end(ChatClosedError(None, "closed by its owner"))
        if self._ws is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._ws.close(), 2.0)
        for task in (self._task, self._saying_slowly):
            if task is not None:
                await _stop(task)
        if self._owns_session and self._session is not None:
            await self._session.close()

    async def live(self, timeout_s: float = 30.0) -> None:
        """Wait until connected and caught up. Raises ``TimeoutError``, or ``ChatClosedError``."""
        async with asyncio.timeout(timeout_s):
            await self._live.wait()
        if self._ended is not None:
            raise self._ended

    @property
    def positions(self) -> dict[str, int]:
        """The last seq given of each dialog: keep them to go on later."""
        return {key: each.position for key, each in self._streams.items() if each.position is not None}

    @property
    def account_seq(self) -> int | None:
        return self._account.position

    def follow(self, dialog_id: str, position: int) -> None:
        """This much of a dialog is held (after a fetch): go on from there."""
        self._streams[dialog_id] = Ordering(position)
        self._say_soon({"type": "resume", "dialogs": {dialog_id: position}})

    @contextmanager
    def reading(self, dialog_id: str | None = None) -> Iterator[Reader]:
        """``with chat.reading(dialog_id) as events: async for event in events``; without an id, everything."""
        reader = self._readers.add(dialog_id)
        if self._ended is not None:
            reader.queue.put_nowait(self._ended)
        try:
            yield reader
        finally:
            self._readers.remove(reader)

    async def send(
        self, dialog_id: str, content: Mapping[str, Any], *, client_message_id: str | None = None, **rest: Any
    ) -> Sent:
        """Store a message; returns once it is durable, over however many connections that takes.

        ``rest``: further fields of the message. Raises ``RefusedError``, or ``ChatClosedError``.
        """
        if self._ended is not None:
            raise self._ended
        message_id = client_message_id or str(uuid.uuid4())
        frame = {
            "type": "send",
            "ref": message_id,
            "dialog_id": dialog_id,
            "client_message_id": message_id,
            "content": dict(content),
            **rest,
        }
        future = self._sending.add(frame)
        if self._hushed is None or self._hushed is not self._ws:
            self._say_soon(frame)
        try:
            return await future
        finally:
            self._sending.forget(message_id)

    async def send_text(self, dialog_id: str, text: str, **rest: Any) -> Sent:
        return await self.send(dialog_id, {"type": "text", "text": text}, **rest)

    def ack(self, dialog_id: str, *, delivered_seq: int = 0, read_seq: int = 0) -> None:
        """Say how far this device has got. Not repeated: the next one says more."""
        self._say_soon({"type": "ack", "dialog_id": dialog_id, "delivered_seq": delivered_seq, "read_seq": read_seq})

    def typing(self, dialog_id: str) -> None:
        """Say that something is being written; worth repeating every few seconds while it is."""
        self._say_soon({"type": "typing", "dialog_id": dialog_id})

    def watch_presence(self, user_ids: list[str]) -> None:
        """Hear of these people's coming and going from now on, on later connections too."""
        self._watched = list(user_ids)
        self._say_soon({"type": "presence.watch", "user_ids": self._watched})

    def subscribe(self, dialog_ids: list[str]) -> None:
        """Follow channels too big to be followed by themselves."""
        self._say_soon({"type": "subscribe", "dialog_ids": dialog_ids})

    async def _run(self) -> None:
        while self._ended is None:
            try:
                code = await self._connect_once()
                self._after_close(code)
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            except Exception as error:  # noqa: BLE001 -- the token source may raise anything; nobody may wait in vain
                self._end(ChatClosedError(None, f"it cannot go on: {error!r}"))
            finally:
                self._live.clear()
                self._ws = None
            if self._ended is None:
                wait_s = self._backoff.next_s() if self._retry_after_s is None else self._retry_after_s
                self._retry_after_s = None
                await asyncio.sleep(wait_s)

    def _after_close(self, code: int | None) -> None:
        if code in FINAL_CODES:
            self._end(ChatClosedError(code, "the server ended it"))
        elif code == UNAUTHENTICATED:
            self._refusals += 1
            if self._refusals >= _REFUSALS_MAX:
                self._end(ChatClosedError(code, "the server does not accept the token"))

    async def _connect_once(self) -> int | None:
        """One connection, from the handshake to its end. Returns the close code."""
        assert self._session is not None  # noqa: S101 -- set on entering
        token = await self._fresh_token()
        auth = {"type": "auth", "resume": self._positions_to_resume(), **await self._credential(token)}
        url = self._base_url.replace("http", "ws", 1) + "/v1/realtime"
        async with asyncio.timeout(_OPEN_TIMEOUT_S):
            ws = await self._session.ws_connect(url, compress=0, max_msg_size=0)
        try:
            self._ws, self.ready, self._heard_at = ws, {}, time.monotonic()
            self._readied.clear()
            await ws.send_str(json.dumps(auth))
            beating = asyncio.create_task(self._beat(ws))
            try:
                async for message in ws:
                    self._heard_at = time.monotonic()
                    if message.type is aiohttp.WSMsgType.TEXT:
                        await self._take(ws, json.loads(message.data))
            finally:
                await _stop(beating)
        finally:
            await ws.close()
        return ws.close_code

    async def _credential(self, token: str) -> dict[str, str]:
        assert self._session is not None  # noqa: S101 -- set on entering
        if self._ticket:
            headers = {"Authorization": f"Bearer {token}"}
            timeout = aiohttp.ClientTimeout(total=_OPEN_TIMEOUT_S)
            url = f"{self._base_url}/v1/realtime/tickets"
            async with self._session.post(url, headers=headers, timeout=timeout) as answer:
                if answer.status == 201:
                    return {"ticket": (await answer.json())["ticket"]}
        return {"token": token}

    async def _fresh_token(self) -> str:
        return self._token if isinstance(self._token, str) else await self._token()

    def _positions_to_resume(self) -> dict[str, Any]:
        resume: dict[str, Any] = {"dialogs": dict(list(self.positions.items())[-_POSITIONS_MAX:])}
        if self._account.position is not None:
            resume["account_seq"] = self._account.position
        return resume

    async def _beat(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Say that we are here, and notice when the other side is not."""
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT_S):
                await self._readied.wait()
        except TimeoutError:
            await ws.close()
            return
        while True:
            heartbeat_s = float(self.ready["heartbeat_s"])
            await asyncio.sleep(heartbeat_s * 0.8)
            if time.monotonic() - self._heard_at > heartbeat_s * _SILENCE_HEARTBEATS:
                await ws.close()
                return
            await ws.send_str('{"type":"ping"}')

    async def _take(self, ws: aiohttp.ClientWebSocketResponse, frame: Frame) -> None:
        match frame["type"]:
            case "ready":
                await self._take_ready(ws, frame)
            case "resumed":
                self._live.set()
            case "sent":
                self._sending.answered(frame)
            case "error":
                self._take_error(ws, frame)
            case "too_old":
                self._take_too_old(frame)
            case "gone":
                self._streams.pop(frame["dialog_id"], None)
                self._readers.give(frame)
            case "auth.expiring":
                await ws.send_str(json.dumps({"type": "auth", "token": await self._fresh_token()}))
            case "bye":
                self._retry_after_s = float(frame.get("retry_after_s", 0))
            case "pong":
                pass
            case _:
                self._take_event(ws, frame)

    async def _take_ready(self, ws: aiohttp.ClientWebSocketResponse, frame: Frame) -> None:
        renewed, self.ready = bool(self.ready), frame
        self._readied.set()
        if renewed:
            return
        self.connections += 1
        self._refusals = 0
        self._backoff.reset()
        self._asked_at.clear()
        if self._account.position is None:
            self._account.position = int(frame["account_seq"])
        later, self._later = self._later, []
        for waiting in (*later, *self._sending.frames()):
            await ws.send_str(json.dumps(waiting))
        if self._watched:
            await ws.send_str(json.dumps({"type": "presence.watch", "user_ids": self._watched}))

    def _take_error(self, ws: aiohttp.ClientWebSocketResponse, frame: Frame) -> None:
        ref = str(frame.get("ref", ""))
        waiting = self._sending.frame(ref)
        if waiting is None:
            if not ref and frame.get("retry_after_s") is not None:
                self._hush(ws, float(frame["retry_after_s"]))
            self._readers.give(frame)
        elif not self._sending.refused(frame):
            loop = asyncio.get_running_loop()
            loop.call_later(float(frame["retry_after_s"]), self._say_again, ws, ref)

    def _hush(self, ws: aiohttp.ClientWebSocketResponse, allowed_every_s: float) -> None:
        """We said too much at once: the server drops frames, and does not say which nor how many."""
        if self._hushed is not ws:
            self._hushed = ws
            self._saying_slowly = asyncio.create_task(self._say_slowly(ws, 2 * allowed_every_s))

    async def _say_slowly(self, ws: aiohttp.ClientWebSocketResponse, pause_s: float) -> None:
        """Half as fast as is allowed, whatever is not answered, until nothing is."""
        while ws is self._ws and (waiting := list(self._sending.frames())):
            for frame in waiting:
                await asyncio.sleep(pause_s)
                self._say_again(ws, frame["ref"])
        if self._hushed is ws:
            self._hushed = None

    def _say_again(self, ws: aiohttp.ClientWebSocketResponse, ref: str) -> None:
        frame = self._sending.frame(ref)
        if frame is not None and ws is self._ws:
            self._say_soon(frame)

    def _take_too_old(self, frame: Frame) -> None:
        if "dialog_id" in frame:
            self._stream(frame["dialog_id"]).jump(frame["last_seq"])
        else:
            self._account.jump(frame["account_seq"])
        self._readers.give(frame)

    def _take_event(self, ws: aiohttp.ClientWebSocketResponse, frame: Frame) -> None:
        if "seq" in frame and "dialog_id" in frame:
            stream = self._stream(frame["dialog_id"])
            for each in stream.take(frame):
                self._readers.give(each)
            if stream.has_hole:
                self._ask_for(ws, frame["dialog_id"], {"dialogs": {frame["dialog_id"]: stream.position}})
        elif _ACCOUNT in frame:
            for each in self._account.take(frame):
                self._readers.give(each)
            if self._account.has_hole:
                self._ask_for(ws, _ACCOUNT, {_ACCOUNT: self._account.position})
        else:
            self._readers.give(frame)

    def _ask_for(self, ws: aiohttp.ClientWebSocketResponse, key: str, what: Mapping[str, Any]) -> None:
        """Something is missing: once, and again when it does not come."""
        now = time.monotonic()
        if now - self._asked_at.get(key, 0.0) >= _ASK_AGAIN_S and ws is self._ws:
            self._asked_at[key] = now
            self._say_soon({"type": "resume", **what})

    def _stream(self, dialog_id: str) -> Ordering:
        return self._streams.setdefault(dialog_id, Ordering(None))

    def _say_soon(self, frame: Mapping[str, Any]) -> None:
        """Say it on the present connection; what cannot wait for the next one is said there as well."""
        ws = self._ws
        if ws is None or ws.closed or not self.ready:
            if frame["type"] in _KEPT and len(self._later) < _LATER_MAX:
                self._later.append(frame)
        else:
            task = asyncio.ensure_future(_said(ws, json.dumps(frame)))
            _speaking.add(task)
            task.add_done_callback(_speaking.discard)

    def _end(self, error: ChatClosedError) -> None:
        if self._ended is None:
            self._ended = error
            self._sending.fail(error)
            self._readers.end(error)
            self._live.set()


async def _stop(task: asyncio.Task[None]) -> None:
    """Cancel, and wait a bounded time: a cancel may be lost inside the client library."""
    for _ in range(_STOPS_MAX):
        if task.done():
            break
        task.cancel()
        await asyncio.wait({task}, timeout=_STOP_S)
    if task.done() and not task.cancelled():
        task.exception()  # seen: it was told to end


_speaking: set[asyncio.Future[None]] = set()


async def _said(ws: aiohttp.ClientWebSocketResponse, text: str) -> None:
    # A connection that breaks meanwhile is noticed by its reader, who says what matters again.
    with contextlib.suppress(ConnectionError, RuntimeError):
        await ws.send_str(text)
