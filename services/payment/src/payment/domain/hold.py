"""A hold while the ledger decides: locked, in memory.

authorized → captured → settled, or voided or expired. One that is charged is captured as it is made, and is returned
where nothing was settled of it. A void or a return that comes first leaves a tombstone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from payment.domain.outcome import HoldFacts


class HoldState(StrEnum):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    SETTLED = "settled"
    VOIDED = "voided"
    EXPIRED = "expired"
    RETURNED = "returned"

    @property
    def was_captured(self) -> bool:
        """Taken, and not given back."""
        return self is HoldState.CAPTURED or self is HoldState.SETTLED

    @property
    def was_released(self) -> bool:
        """Given back without having been taken."""
        return self is HoldState.VOIDED or self is HoldState.EXPIRED


@dataclass(slots=True, kw_only=True)
class Hold:
    """``spend_day`` is the day its amount counts on. ``balance_after_minor`` is the wallet's, once it is captured in
    this batch. ``is_listed``: a transaction of the wallet shows it from the start, before any money moves.
    """

    facts: HoldFacts
    state: HoldState
    captured_minor: int = 0
    version: int = 0
    spend_day: date | None = None
    expires_at: datetime | None = None
    created_at: datetime
    is_new: bool = True
    is_listed: bool = False
    is_changed: bool = False
    balance_after_minor: int | None = None

    def move(self, state: HoldState, facts_count: int = 1) -> None:
        """Into another state, which is told by that many records."""
        self.state = state
        self.version += facts_count
        self.is_changed = True

    @property
    def released_minor(self) -> int:
        return 0 if self.state is HoldState.AUTHORIZED else self.facts.amount_minor - self.captured_minor
