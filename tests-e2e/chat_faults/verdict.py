"""The judge of a log: what one device was given of one dialog, in the order in which it came. Pure.

A log is right when it is 1, 2, 3 … to the end, and every acknowledged message stands in it once, where it was
acknowledged. A table of the database read by ``seq`` is a log too.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Log = Sequence[tuple[int, str | None]]
"""``(seq, client_message_id)``; no id for what is not a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaws:
    """All empty in a log that is right."""

    inversions: Sequence[tuple[int, int]] = field(default=())
    holes: Sequence[int] = field(default=())
    duplicates: Sequence[int | str] = field(default=())
    losses: Sequence[str] = field(default=())
    misplaced: Sequence[str] = field(default=())

    @property
    def names(self) -> list[str]:
        return [name for name in self.__slots__ if getattr(self, name)]

    def __str__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.names)
        return "; ".join(f"{len(found)} {name}, first {list(found[:5])}" for name, found in shown) or "none"


def judge(log: Log, *, acknowledged: Mapping[str, int], last_seq: int) -> Flaws:
    """``acknowledged``: the seq that the answer gave, by client_message_id."""
    seqs = [seq for seq, _ in log]
    times = Counter(message for _, message in log if message is not None)
    place = {message: seq for seq, message in log if message is not None}
    return Flaws(
        inversions=[pair for pair in itertools.pairwise(seqs) if pair[1] < pair[0]],
        holes=sorted(set(range(1, last_seq + 1)) - set(seqs)),
        duplicates=[
            *(seq for seq, count in Counter(seqs).items() if count > 1),
            *(message for message, count in times.items() if count > 1),
        ],
        losses=[message for message in acknowledged if message not in place],
        misplaced=[message for message, seq in acknowledged.items() if place.get(message, seq) != seq],
    )
