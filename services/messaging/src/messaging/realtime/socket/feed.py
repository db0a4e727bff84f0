"""One stream on this node: everything stored in it reaches each watcher in order, once.

RT-1: a watcher that joined at position p is given p+1, p+2, p+3 … without a hole and none twice, whichever way they
came here (this process, Redis, a read) and in whatever order.
RT-2: after the event that ends a person's membership, nothing more of the stream is given to them.
RT-3: of an event that is hidden from them, or is about one from before their time, they are given the place alone.
RT-4: after an event that decides who sees the stream they are given nothing that follows, unless they were looked up
after it.

Events that come before their turn wait; what is missing is asked for with ``want`` and comes back through ``fill``.
All watchers are at ``last``. Who still has to be brought there is a joiner. What was read for one joiner serves the
others who come within ``TAIL_S``, unless something of it was taken back meanwhile. No I/O here, and nothing is awaited.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from messaging.realtime.domain.websocket import payload_of, text_frame
from messaging.realtime.socket.streams import Item, StreamKind

HELD_MAX: Final = 256
TAIL_MAX: Final = 512
# As long as a process may go on knowing the key of somebody who was erased.
TAIL_S: Final = 1.5
_CHUNK_BYTES: Final = 32 * 1024


class Watcher(Protocol):
    """Who is given streams, and which: a socket, or a long poll while it lasts.

    ``write`` takes a finished WebSocket frame, or several; it never leaves a feed.
    """

    feeds: set[Feed]

    @property
    def user_id(self) -> UUID: ...

    @property
    def is_open(self) -> bool:
        """Whether it may still be given anything."""

    def write(self, data: bytes) -> None: ...

    def offer(self, data: bytes) -> None:
        """The same for what need not arrive."""

    def has_room(self) -> bool:
        """Whether it takes more of a replay now."""

    def caught_up(self, feed: Feed) -> None:
        """They are where the others are: from now on it is live."""

    def dropped(self, feed: Feed) -> None:
        """Their membership has ended: the feed has let them go."""


@dataclass(slots=True)
class _Joiner:
    """``as_of``: their membership was true at this seq, so older endings are not about it."""

    position: int
    as_of: int


class Feed:
    """``heard``: the highest seq known to exist. ``last``: the one all watchers have.

    ``audience``: about how many people may watch the stream, where its provider says so.
    """

    __slots__ = (
        "_ahead",
        "_from_seqs",
        "_held",
        "_joiners",
        "_kind",
        "_latest_from_seq",
        "_listener",
        "_on_doubt",
        "_tail",
        "_tail_until",
        "_want",
        "audience",
        "heard",
        "key",
        "last",
        "mending",
        "watchers",
    )

    def __init__(
        self,
        key: UUID,
        last: int,
        kind: StreamKind,
        want: Callable[[Feed], None],
        *,
        listener: Callable[[Feed, Item], None] | None = None,
        on_doubt: Callable[[Feed, Watcher, int], None] | None = None,
    ) -> None:
        self.key = key
        self.last = self.heard = last
        self.audience = 0
        self.mending = False
        self.watchers: dict[Watcher, None] = {}
        self._kind = kind
        self._want = want
        self._listener = listener
        self._on_doubt = on_doubt
        self._ahead: dict[Watcher, _Joiner] = {}
        self._joiners: dict[Watcher, _Joiner] = {}
        self._from_seqs: dict[Watcher, int] = {}
        # At least the highest of them: an event about a later one is everybody's, which is most of them.
        self._latest_from_seq = 0
        self._held: dict[int, Item] = {}
        self._tail: list[Item] = []
        self._tail_until = 0.0

    @property
    def empty(self) -> bool:
        return not self.watchers and not self._joiners

    @property
    def has_joiners(self) -> bool:
        return bool(self._joiners)

    def wants(self, seq: int) -> bool:
        """Whether an event with this seq is news."""
        return seq > self.last and seq not in self._held

    def offer(self, item: Item) -> None:
        """An event, from wherever: given when it is its turn."""
        if item.seq <= self.last:
            return
        self.heard = max(self.heard, item.seq)
        if item.seq != self.last + 1:
            if len(self._held) < HELD_MAX:
                self._held[item.seq] = item
            self._want(self)
            return
        self._deliver(item)
        while self._held:
            self._held.pop(self.last, None)
            following = self._held.pop(self.last + 1, None)
            if following is None:
                break
            self._deliver(following)
        if self._joiners:
            self._want(self)

    def offer_run(self, items: Sequence[Item]) -> None:
        """Events of one commit: who is live gets them in one write, which costs no more than that of one event."""
        following = bool(items) and items[0].seq == self.last + 1 and items[-1].seq == self.last + len(items)
        if not following or self._held or self._ahead or self._joiners or any(map(self._is_not_for_all, items)):
            for item in items:
                self.offer(item)
            return
        self.last = items[-1].seq
        self.heard = max(self.heard, self.last)
        for data in _joined(items):
            for watcher in self.watchers:
                watcher.write(data)
        for item in items:
            self._delivered(item)

    def heard_of(self, seq: int) -> None:
        """Somebody says the stream goes up to ``seq``."""
        self.heard = max(self.heard, seq)
        if self.heard > self.last:
            self._want(self)

    def join(self, watcher: Watcher, position: int, as_of: int, from_seq: int = 0) -> None:
        """Give the watcher everything after ``position``. ``as_of``: when their membership was looked up.

        ``from_seq``: of earlier events they are shown nothing.
        """
        self.leave(watcher)
        self._show_from(watcher, from_seq)
        self.cool()
        self.heard_of(as_of)
        self._joiners[watcher] = _Joiner(position, as_of)
        self._settle()
        if self._joiners:
            self._want(self)

    def leave(self, watcher: Watcher) -> None:
        self.watchers.pop(watcher, None)
        self._show_from(watcher, 0)
        self._joiners.pop(watcher, None)
        self._ahead.pop(watcher, None)
        self.cool()

    def joining(self, watcher: Watcher) -> bool:
        """Whether they are still being brought to where the others are."""
        return watcher in self._joiners

    def next_read(self) -> int | None:
        """After which seq to read next; None: nothing is missing, or nobody has room for it."""
        if self.empty:
            return None
        wanted = [each.position for watcher, each in self._joiners.items() if watcher.has_room()]
        if self.heard > self.last:
            wanted.append(self.last)
        return min(wanted, default=None)

    def fill(self, items: Sequence[Item]) -> None:
        """What was read: whole, in order, from the seq after ``next_read`` on."""
        if not items:
            return
        self._keep(items)
        first = items[0].seq
        for watcher, joiner in list(self._joiners.items()):
            start = joiner.position + 1 - first
            if 0 <= start < len(items):
                self._give(watcher, joiner, items[start:])
        for item in items:
            if item.seq == self.last + 1:
                self.offer(item)
        self._settle()

    def too_old(self, oldest_seq: int) -> None:
        """A read found that nothing before ``oldest_seq`` is kept."""
        for watcher, joiner in list(self._joiners.items()):
            if joiner.position + 1 < oldest_seq:
                joiner.position = max(joiner.as_of, oldest_seq - 1)
                watcher.write(self._kind.too_old(self.key, oldest_seq, joiner.position))
                if joiner.position > joiner.as_of:
                    self._doubt(watcher, joiner.position)
        if self.last + 1 < oldest_seq:
            self.last = oldest_seq - 1
            self.heard = max(self.heard, self.last)
            self._held = {seq: item for seq, item in self._held.items() if seq > self.last}
            told = self._kind.too_old(self.key, oldest_seq, self.last)
            for watcher in list(self.watchers):
                watcher.write(told)
                self._doubt(watcher, self.last)
        self._settle()

    def give_up(self) -> None:
        """What was heard of cannot be read now; the next word of it tries again."""
        self.heard = self.last

    def forget(self) -> None:
        """What was read of the past may show too much by now: it is read again for whoever comes."""
        self._tail = []

    def cool(self) -> None:
        """Forget what was kept for joiners, once it serves nobody or is too old to be given."""
        if self._tail and time.monotonic() > self._tail_until:
            self.forget()

    def retry(self) -> None:
        """Try again for those who wait."""
        self.cool()
        if self._joiners or self.heard > self.last:
            self._want(self)

    def _show_from(self, watcher: Watcher, from_seq: int) -> None:
        if from_seq > 1:
            self._from_seqs[watcher] = from_seq
            self._latest_from_seq = max(self._latest_from_seq, from_seq)
        elif self._from_seqs.pop(watcher, None) is not None and not self._from_seqs:
            self._latest_from_seq = 0

    def _is_withheld(self, item: Item) -> bool:
        """Whether it may have to be kept from somebody here."""
        return 0 < item.about_seq < self._latest_from_seq or bool(item.hidden_from)

    def _is_withheld_from(self, watcher: Watcher, item: Item) -> bool:
        early = 0 < item.about_seq < self._from_seqs.get(watcher, 0)
        return early or (bool(item.hidden_from) and watcher.user_id in item.hidden_from)

    def _withheld(self, item: Item) -> bytes:
        return text_frame(self._kind.withheld(payload_of(item.data)))

    def _is_not_for_all(self, item: Item) -> bool:
        return item.ended or self._is_withheld(item) or self._kind.decides(item)

    def _deliver(self, item: Item) -> None:
        self.last = item.seq
        if self._ahead or self._is_withheld(item):
            self._deliver_to_some(item)
        else:
            data = item.data
            for watcher in self.watchers:
                watcher.write(data)
        self._delivered(item)

    def _delivered(self, item: Item) -> None:
        if item.type in self._kind.retracting:
            self.forget()
        if self._tail or self._joiners:
            self._remember(item)
        if item.ended:
            self._end(item)
        if self._kind.decides(item):
            for watcher in list(self.watchers):
                if not self._knows(watcher, item):
                    self._doubt(watcher, item.seq)
        if self._listener is not None:
            self._listener(self, item)

    def _deliver_to_some(self, item: Item) -> None:
        """Some had already seen more than this node when they joined, or may not see what it is about."""
        withheld = self._withheld(item) if self._is_withheld(item) else b""
        for watcher in self.watchers:
            ahead = self._ahead.get(watcher)
            if ahead is None or item.seq > ahead.position:
                watcher.write(withheld if self._is_withheld_from(watcher, item) else item.data)

    def _end(self, item: Item) -> None:
        for watcher in [each for each in self.watchers if each.user_id == item.subject_id]:
            if not self._knows(watcher, item):
                self.leave(watcher)
                watcher.dropped(self)

    def _knows(self, watcher: Watcher, item: Item) -> bool:
        """Whether they were looked up after this event."""
        ahead = self._ahead.get(watcher)
        return ahead is not None and item.seq <= ahead.as_of

    def _doubt(self, watcher: Watcher, position: int) -> None:
        """They are given nothing after ``position`` until somebody has looked whether, and what, they may see."""
        if self._on_doubt is not None:
            self.leave(watcher)
            self._on_doubt(self, watcher, position)

    def _give(self, watcher: Watcher, joiner: _Joiner, items: Iterable[Item]) -> None:
        """A replay, as far as there is room."""
        chunk: list[bytes] = []
        size = 0
        for item in items:
            if size >= _CHUNK_BYTES:
                watcher.write(b"".join(chunk))
                chunk, size = [], 0
            if not chunk and not watcher.has_room():
                break
            data = self._withheld(item) if self._is_withheld_from(watcher, item) else item.data
            chunk.append(data)
            size += len(data)
            joiner.position = item.seq
            if item.ended and item.subject_id == watcher.user_id and item.seq > joiner.as_of:
                watcher.write(b"".join(chunk))
                self.leave(watcher)
                watcher.dropped(self)
                return
            if item.seq > joiner.as_of and self._kind.decides(item):
                watcher.write(b"".join(chunk))
                self._doubt(watcher, item.seq)
                return
        if chunk:
            watcher.write(b"".join(chunk))

    def _settle(self) -> None:
        """Joiners that are where the others are, or can be brought there with what was kept, are joiners no more."""
        for watcher, joiner in list(self._joiners.items()):
            if joiner.position < self.last and self._tail and self._tail[0].seq <= joiner.position + 1:
                self._give(watcher, joiner, [item for item in self._tail if item.seq > joiner.position])
            if watcher in self._joiners and joiner.position >= self.last:
                del self._joiners[watcher]
                self.watchers[watcher] = None
                if max(joiner.position, joiner.as_of) > self.last:
                    self._ahead[watcher] = joiner
                watcher.caught_up(self)
        if self._ahead:
            self._ahead = {
                watcher: joiner
                for watcher, joiner in self._ahead.items()
                if max(joiner.position, joiner.as_of) > self.last
            }

    def _remember(self, item: Item) -> None:
        """The newest of what is kept."""
        if not self._tail:
            self._tail_until = time.monotonic() + TAIL_S
        self._tail.append(item)
        if len(self._tail) > TAIL_MAX:
            del self._tail[: len(self._tail) - TAIL_MAX]

    def _keep(self, items: Sequence[Item]) -> None:
        """What was read of the past, when it reaches to what is kept, or to where the watchers are."""
        first_kept = self._tail[0].seq if self._tail else self.last + 1
        older = [item for item in items if item.seq < first_kept]
        if older and older[-1].seq == first_kept - 1 and len(older) + len(self._tail) <= TAIL_MAX:
            if not self._tail:
                self._tail_until = time.monotonic() + TAIL_S
            self._tail = older + self._tail


def _joined(items: Sequence[Item]) -> Iterator[bytes]:
    """Their frames, some at a time: a client that does not read is noticed between two writes."""
    chunk: list[bytes] = []
    size = 0
    for item in items:
        if chunk and size + len(item.data) > _CHUNK_BYTES:
            yield b"".join(chunk)
            chunk, size = [], 0
        chunk.append(item.data)
        size += len(item.data)
    yield b"".join(chunk)
