"""Whether ours beside a peer is what it must be: not below the goal, and not 15 % under what was last recorded."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

FALL = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``limit`` stands where no peer does: ours is to be at most that."""

    name: str
    title: str
    program: str
    ours: str
    goal: float
    peer: str = ""
    peer_title: str
    limit: float | None = None
    unit: str = "/s"
    arms: tuple[str, ...] = ()
    known: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One arm's rounds."""

    figures: tuple[float, ...]
    cpu_ms: float | None = None

    @property
    def figure(self) -> float:
        return statistics.median(self.figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """What was recorded of a row."""

    ratio: float
    ours: float
    peer: float
    load: float
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row. ``absent`` and ``failed`` say why there is no ratio."""

    row: Row
    ours: Side | None = None
    peer: Side | None = None
    load: float = 0.0
    absent: str = ""
    failed: str = ""
    last: Last | None = None

    @property
    def ratio(self) -> float | None:
        """Of the medians, which the table shows; more is better in every row."""
        if self.ours is None or self.failed:
            return None
        if self.row.limit is not None:
            return self.row.limit / self.ours.figure
        return self.ours.figure / self.peer.figure if self.peer else None

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each round, in which both ran one after the other."""
        if self.ours is None or self.peer is None:
            return ()
        return tuple(a / b for a, b in zip(self.ours.figures, self.peer.figures, strict=False))

    @property
    def faults(self) -> list[str]:
        """Why it is not good enough. A peer that is absent is no fault of ours; a program that failed is."""
        if self.failed:
            return [self.failed]
        if self.ratio is None:
            return []
        found = []
        if self.ratio < self.row.goal:
            found.append("below the goal")
        if self.last is not None and self.ratio < self.last.ratio * (1 - FALL):
            found.append(f"{1 - self.ratio / self.last.ratio:.0%} under the last")
        return found

    @property
    def verdict(self) -> str:
        if self.faults:
            return "; ".join(self.faults)
        if self.ratio is None:
            return "peer absent"
        return "met" if self.last else "met; none recorded yet"


def exit_code(outcomes: list[Outcome]) -> int:
    """1 when a row is not good enough, or when nothing could be compared at all."""
    compared = any(each.ratio is not None for each in outcomes)
    return 0 if compared and not any(each.faults for each in outcomes) else 1
