"""Which offsets of a partition may be committed: only up to the first record that is not done."""

from __future__ import annotations

from collections import deque


class Offsets:
    """Progress on one partition. Records are taken in offset order and may finish in any order."""

    def __init__(self) -> None:
        self._taken: deque[int] = deque()
        self._done: set[int] = set()
        self._next: int | None = None
        self.committed: int | None = None

    def take(self, offset: int) -> None:
        """A record was read."""
        self._taken.append(offset)

    def finish(self, offset: int) -> None:
        """A record's effect is committed, or there is none to come."""
        self._done.add(offset)
        while self._taken and self._taken[0] in self._done:
            self._done.discard(first := self._taken.popleft())
            self._next = first + 1

    @property
    def committable(self) -> int | None:
        """The offset to commit (one past the last record of the finished prefix); None when nothing is new."""
        return self._next if self._next != self.committed else None

    @property
    def unfinished(self) -> int:
        """How many records were taken and are not finished, or wait behind one that is not."""
        return len(self._taken)
