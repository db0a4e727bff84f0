"""Stored things that are damaged: counted by what they are, and each logged once a process.

Who reads one gives what can be read of it, or leaves it out, and notes it here: one row's damage is that row's outcome
alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog
from prometheus_client import Counter

TOLD_MAX: Final = 10_000
log = structlog.get_logger(__name__)


class UnreadableNotes:
    """``met`` counts by the label ``what``, of which ``whats`` are the values."""

    def __init__(self, met: Counter, whats: Iterable[str]) -> None:
        self._met = met
        self._told: set[tuple[object, ...]] = set()
        for each in whats:
            self._met.labels(each)  # an alert sees the first one only if there was a zero before it

    def note(self, what: str, **place: object) -> None:
        """Count it, and log it with its ``place`` unless this process has done so."""
        self._met.labels(what).inc()
        where = {name: str(each) for name, each in place.items()}
        key = (what, *sorted(where.items()))
        if key in self._told:
            return
        if len(self._told) >= TOLD_MAX:
            self._told.clear()
        self._told.add(key)
        log.error("stored.unreadable", what=what, **where)
