"""The same events for a client that cannot hold a socket: it says where it stands, and is answered with what follows.

Invariant: what is answered follows the positions that were given without a hole, so the next poll begins where this
answer ends. Nothing is kept here between two polls. Who is signed out meanwhile is told so, and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from chassis.tokens import Principal, TokenRevokedError
from messaging.realtime.domain.websocket import payloads_of
from messaging.realtime.socket.feed import Feed
from messaging.realtime.socket.node import Node

BYTES_MAX: Final = 512 * 1024
_MORE_S: Final = 0.02
_LOOK_EVERY_S: Final = 0.5
# What is there already is read, however short a time the client wants to wait for more.
_READ_S: Final = 5.0


class Poll:
    """A watcher that keeps what it is given until it is answered."""

    def __init__(self, user_id: UUID, left: Callable[[Feed], None]) -> None:
        self.user_id = user_id
        self._left = left
        self._size = 0
        self.frames: list[bytes] = []
        self.some = asyncio.Event()
        self.feeds: set[Feed] = set()
        self.is_open = True

    def write(self, data: bytes) -> None:
        # Beyond the limit nothing is kept: the next poll asks for it again, from where this answer ends.
        if self._size < BYTES_MAX:
            self._size += len(data)
            self.frames.extend(payloads_of(data))
        self.some.set()

    def offer(self, data: bytes) -> None:
        self.write(data)

    def has_room(self) -> bool:
        return self._size < BYTES_MAX

    @property
    def is_behind(self) -> bool:
        """Whether what was there when it came is still being read."""
        return any(feed.joining(self) for feed in self.feeds)

    def caught_up(self, feed: Feed) -> None:
        """Whether it is live makes no difference."""

    def dropped(self, feed: Feed) -> None:
        self.feeds.discard(feed)
        self._left(feed)


async def poll(
    node: Node, principal: Principal, follow: Callable[[Poll], Awaitable[None]], wait_s: float
) -> Sequence[bytes]:
    """The JSON texts of the frames that follow: of those that are there at once, else the first within ``wait_s``.

    ``follow`` brings the poll to its streams, from where the client is. Raises ``TokenRevokedError`` soon after the
    session is revoked.
    """
    waiting, revocations = Poll(principal.user_id, node.left), node.revocations
    try:
        await follow(waiting)
        node.polls.add(waiting.some)
        begun, valid_s = time.monotonic(), principal.expires_at.timestamp() - node.clock.now().timestamp()
        while not node.draining:
            long_s = max(wait_s, _READ_S) if waiting.is_behind or waiting.frames else wait_s
            if (left_s := begun + min(long_s, valid_s) - time.monotonic()) <= 0:
                break
            try:
                await asyncio.wait_for(waiting.some.wait(), min(left_s, _LOOK_EVERY_S))
            except TimeoutError:
                if revocations.is_revoked(principal.session_id):
                    break
            else:
                await asyncio.sleep(_MORE_S)
                break
    finally:
        waiting.is_open = False
        node.polls.discard(waiting.some)
        node.hub.leave_all(waiting)
    if revocations.is_revoked(principal.session_id):
        raise TokenRevokedError("the session was signed out")
    return waiting.frames
