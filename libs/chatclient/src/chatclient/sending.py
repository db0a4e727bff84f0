"""Messages on their way: kept until the server answers, and said again on every new connection.

CC-2: a message is stored once, however often it is said, because all attempts have the same ``client_message_id``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chatclient.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Sent:
    """Where the message is. ``replayed``: an earlier attempt had stored it."""

    dialog_id: str
    seq: int
    client_message_id: str
    at: str
    replayed: bool


class Sending:
    """In the order in which they were given."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[dict[str, Any], asyncio.Future[Sent]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, frame: dict[str, Any]) -> asyncio.Future[Sent]:
        """A ``send`` frame; its ``ref`` is what the answer will bear."""
        future: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._waiting[frame["ref"]] = frame, future
        return future

    def frames(self) -> Iterator[dict[str, Any]]:
        """Everything unanswered."""
        return iter([frame for frame, _ in self._waiting.values()])

    def frame(self, ref: str) -> dict[str, Any] | None:
        waiting = self._waiting.get(ref)
        return waiting[0] if waiting is not None else None

    def answered(self, frame: Mapping[str, Any]) -> None:
        """A ``sent`` frame came."""
        waiting = self._waiting.pop(frame["ref"], None)
        if waiting is not None and not waiting[1].done():
            waiting[1].set_result(
                Sent(
                    dialog_id=frame["dialog_id"],
                    seq=frame["seq"],
                    client_message_id=frame["client_message_id"],
                    at=frame["at"],
                    replayed=frame["replayed"],
                )
            )

    def refused(self, frame: Mapping[str, Any]) -> bool:
        """An ``error`` frame came for one of them. True: it was for good; False: it may be said again later."""
        if frame.get("retry_after_s") is not None:
            return False
        waiting = self._waiting.pop(str(frame.get("ref")), None)
        if waiting is not None and not waiting[1].done():
            waiting[1].set_exception(RefusedError(frame))
        return True

    def forget(self, ref: str) -> None:
        """Nobody waits for it any more."""
        self._waiting.pop(ref, None)

    def fail(self, error: Exception) -> None:
        """There will be no answers."""
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()
