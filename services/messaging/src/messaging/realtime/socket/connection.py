"""One client's socket: bytes in, finished frames out, and nothing that waits.

An idle connection is this object and a transport: no task, no timer, no buffer. Writing never waits: what a client does
not take is kept by the transport, and past ``BUFFER_MAX`` the client is sent away to come back and resume.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol
from uuid import UUID

from prometheus_client import Counter

from messaging.realtime.domain.buckets import Bucket
from messaging.realtime.domain.codes import REASONS, Close
from messaging.realtime.domain.websocket import FrameError, FrameReader, Opcode, answer_to_close, close_frame, frame_of
from messaging.realtime.socket.feed import Feed
from messaging.realtime.socket.frames import server_frame

ROOM_BYTES: Final = 64 * 1024
BUFFER_MAX: Final = 256 * 1024
NOBODY: Final = UUID(int=0)
dropped = Counter("messaging_realtime_ephemera_dropped", "Frames that need not arrive, not given to a slow client")
closed = Counter("messaging_realtime_closed", "Connections closed by this node, by close code", ["code"])


class Gate(Protocol):
    """What a connection tells its node."""

    def frame(self, connection: Connection, raw: bytes) -> None:
        """A whole text frame came in."""

    def spend(self, connection: Connection) -> bool:
        """Count a frame against the limit; False: it is not to be handled."""

    def detach(self, connection: Connection) -> None:
        """It is closing: it must be given nothing more."""

    def gone(self, connection: Connection) -> None:
        """Its socket is closed."""

    def left(self, feed: Feed) -> None:
        """Somebody was let go by a feed, which may be empty now."""

    def writable(self, connection: Connection) -> None:
        """It can take more of a replay again."""


class Connection(asyncio.Protocol):
    """``feeds``: what it watches. ``guarded`` is true while it is slow or closing: the only check of a quick write.

    ``turn``: the last answer that is being made for it. ``resuming``: what each ``resume`` waits for, with its ref.
    """

    __slots__ = (
        "bucket",
        "closing_at",
        "errors",
        "expires_at",
        "expiry_told",
        "feeds",
        "gate",
        "guarded",
        "heard_at",
        "opened_at",
        "pending",
        "reader",
        "resuming",
        "session_id",
        "slow_since",
        "transport",
        "turn",
        "user_id",
    )

    def __init__(self, gate: Gate, transport: asyncio.Transport, frames_burst: float) -> None:
        now = time.monotonic()
        self.gate = gate
        self.transport = transport
        self.reader = FrameReader()
        self.bucket = Bucket(frames_burst, now)
        self.user_id = self.session_id = NOBODY
        self.opened_at = self.heard_at = now
        self.closing_at = self.slow_since = self.expires_at = 0.0
        self.guarded = self.expiry_told = False
        self.errors = 0
        self.feeds: set[Feed] = set()
        self.pending: list[bytes] | None = None
        self.resuming: list[tuple[str | None, set[Feed]]] | None = None
        self.turn: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return not self.closing_at

    @property
    def authenticated(self) -> bool:
        return self.user_id is not NOBODY

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        try:
            for opcode, payload in self.reader.feed(data):
                self._take(opcode, payload)
        except FrameError as error:
            self.close(error.code, str(error))

    def _take(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.CLOSE:
            if not self.closing_at:
                self.close(answer_to_close(payload))
            self.transport.close()
        elif self.closing_at or not self.gate.spend(self):
            return
        elif opcode is Opcode.TEXT:
            self.gate.frame(self, payload)
        elif opcode is Opcode.PING:
            self.write(frame_of(Opcode.PONG, payload))

    def write(self, data: bytes) -> None:
        if self.guarded:
            if self.closing_at:
                return
            if self.transport.get_write_buffer_size() > BUFFER_MAX:
                # Not at once: the feed that writes goes on to its other watchers.
                asyncio.get_running_loop().call_soon(self.close, Close.SLOW)
                return
        self.transport.write(data)

    def offer(self, data: bytes) -> None:
        if self.guarded:
            dropped.inc()
        else:
            self.transport.write(data)

    def has_room(self) -> bool:
        return not self.closing_at and self.transport.get_write_buffer_size() < ROOM_BYTES

    def resume(self, ref: str | None) -> None:
        """Say ``resumed`` when all it watches is live, which may be at once."""
        self.resuming = [*(self.resuming or ()), (ref, {feed for feed in self.feeds if feed.joining(self)})]
        self._tell_resumed()

    def caught_up(self, feed: Feed) -> None:
        if self.resuming is not None:
            for _, waiting in self.resuming:
                waiting.discard(feed)
            self._tell_resumed()

    def _tell_resumed(self) -> None:
        """Say so of each once everything that it resumed is live."""
        done = [ref for ref, waiting in self.resuming or () if not waiting]
        self.resuming = [each for each in self.resuming or () if each[1]] or None
        for ref in done:
            self.write(server_frame("resumed", ref=ref))

    def dropped(self, feed: Feed) -> None:
        self.feeds.discard(feed)
        self.caught_up(feed)
        self.gate.left(feed)

    def close(self, code: Close, reason: str = "") -> None:
        """Say why, and wait a moment for the client to agree; ``overdue`` ends it then."""
        if self.closing_at:
            return
        self.guarded, self.closing_at = True, time.monotonic()
        closed.labels(str(int(code))).inc()
        if not self.transport.is_closing():  # it is after the client's FIN, as long as bytes wait for it
            self.transport.write(close_frame(code, reason or REASONS[code]))
        self.gate.detach(self)

    def overdue(self) -> None:
        """The close was not answered. What is flushed is closed; what is stuck is cut."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        self.guarded, self.slow_since = True, time.monotonic()

    def resume_writing(self) -> None:
        self.slow_since = 0.0
        if not self.closing_at:
            self.guarded = False
            self.gate.writable(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        del exc
        self.guarded = True
        self.closing_at = self.closing_at or time.monotonic()
        self.gate.detach(self)
        self.gate.gone(self)
