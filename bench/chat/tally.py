"""What was sent, acknowledged and read, by number; in one process, so one clock.

Invariant: a message counts as delivered once for each member; a second time is counted as doubled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from chat.plan import Outcome, Plan


class Tally:
    """``on_acked`` is told of each answered message: a closed loop sends the next one then."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.members = len(plan.credentials)
        self.sent_at: list[float] = []
        self.acked_at: list[float] = []
        self.last_at: list[float] = []
        self.seen: list[int] = []
        self.refused = 0
        self.stored = 0
        self.arrived = 0
        self.on_acked: Callable[[int], None] = lambda _: None

    def begin(self, at: float) -> int:
        """The number of a message that is (due to be) sent at that time."""
        self.sent_at.append(at)
        self.acked_at.append(0.0)
        self.last_at.append(0.0)
        self.seen.append(0)
        return len(self.sent_at) - 1

    def acked(self, number: int, *, stored: bool = True) -> None:
        if stored:
            self.acked_at[number] = time.monotonic()
            self.stored += 1
        else:
            self.refused += 1
        self.on_acked(number)

    def delivered(self, numbers: Sequence[int]) -> None:
        now, seen, last_at = time.monotonic(), self.seen, self.last_at
        self.arrived += len(numbers)
        for number in numbers:
            seen[number] += 1
            last_at[number] = now

    @property
    def complete(self) -> bool:
        """Everybody has everything that was stored."""
        return all(
            count >= self.members or not acked for count, acked in zip(self.seen, self.acked_at, strict=True)
        ) and self.refused + sum(1 for each in self.acked_at if each) >= len(self.sent_at)

    def so_far(self) -> tuple[int, int]:
        """Messages stored, and deliveries."""
        return self.stored, self.arrived

    def outcome(self, began: float, ended: float, made: Outcome) -> Outcome:
        """Add what became of the messages sent between these times, and of all of them what went wrong."""
        made.refused = self.refused
        for sent, acked, last, seen in zip(self.sent_at, self.acked_at, self.last_at, self.seen, strict=True):
            made.lost += max(0, self.members - seen) if acked else 0
            made.doubled += max(0, seen - self.members)
            if began <= sent < ended:
                made.sent += 1
                if acked:
                    made.ack_ms.append((acked - sent) * 1e3)
                if seen >= self.members:
                    made.last_ms.append((last - sent) * 1e3)
        return made
