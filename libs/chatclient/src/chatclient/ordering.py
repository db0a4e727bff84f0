"""The order of one stream: frames come in any order, more than once or not at all, and leave as 1, 2, 3 …

CC-1: what ``take`` gives has consecutive seqs, none twice, over the whole life of the object.
"""

from __future__ import annotations

from typing import Any, Final

HELD_MAX: Final = 1_000
Frame = dict[str, Any]


class Ordering:
    """``position``: the last seq that was given; None until it is known where the stream begins for this client."""

    def __init__(self, position: int | None, *, key: str = "seq") -> None:
        self.position = position
        self._key = key
        self._held: dict[int, Frame] = {}

    @property
    def has_hole(self) -> bool:
        """Whether something later than the next one is here already."""
        return bool(self._held)

    def take(self, frame: Frame) -> list[Frame]:
        """The frames whose turn it is now."""
        seq = int(frame[self._key])
        if self.position is None:
            self.position = seq - 1
        if seq <= self.position:
            return []
        if seq > self.position + 1:
            if len(self._held) < HELD_MAX:
                self._held[seq] = frame
            return []
        given = [frame]
        self.position = seq
        self._held.pop(seq, None)
        while (following := self._held.pop(self.position + 1, None)) is not None:
            given.append(following)
            self.position += 1
        return given

    def jump(self, position: int) -> None:
        """What came before is not kept any more; the stream goes on after ``position``."""
        self.position = position
        self._held = {seq: frame for seq, frame in self._held.items() if seq > position}
