"""What a provider streams: its kinds of stream, and their stored events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID


class PositionTooOldError(Exception):
    """What follows the position is not kept; from ``oldest_seq`` on it is."""

    def __init__(self, oldest_seq: int) -> None:
        super().__init__(oldest_seq)
        self.oldest_seq = oldest_seq


@dataclass(frozen=True, slots=True)
class Item:
    """One stored event. ``data`` is the finished WebSocket frame for every watcher who sees what it is about.

    ``subject_id``: the person whose being in the stream it is about; ``ended``: it ends that.
    ``about_seq``: the earlier event it is about; 0 for none. ``hidden_from``: who is shown neither that one, nor this.
    """

    seq: int
    data: bytes
    type: str = ""
    subject_id: UUID | None = None
    ended: bool = False
    about_seq: int = 0
    hidden_from: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class StreamKind:
    """One kind of stream. Each stream has a key and seqs 1, 2, 3 … without a hole.

    ``channel``: prefix of the Redis channels on which nodes tell each other of it; the key follows.
    ``read(key, after_seq, limit)``: the items that follow, in order. Raises ``PositionTooOldError``.
    ``positions(keys)``: the last seq of each.
    ``too_old(key, oldest_seq, last_seq)``: the frame that says so: it goes on after ``last_seq``.
    ``withheld(payload)``: what is left of an event for whoever may not see what it is about.
    ``retracting``: types of events that take back something of earlier ones.
    ``decides(item)``: whether it may change who sees what of the stream. Whoever was looked up before it is given
    nothing that follows until they are looked up again.
    """

    channel: str
    read: Callable[[UUID, int, int], Awaitable[Sequence[Item]]]
    positions: Callable[[Sequence[UUID]], Awaitable[dict[UUID, int]]]
    too_old: Callable[[UUID, int, int], bytes]
    withheld: Callable[[bytes], bytes]
    retracting: frozenset[str] = frozenset()
    decides: Callable[[Item], bool] = lambda _: False
