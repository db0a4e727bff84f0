"""Damaged rows of sagas and of their histories: they are shown as far as they can be read, and told here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from prometheus_client import Counter

from operations import UnreadableNotes


class What(StrEnum):
    """What is damaged."""

    SAGA = "saga"
    HISTORY = "history"


_met = Counter(
    "orchestrator_unreadable", "Reads of something stored that is damaged; each thing is logged once", ["what"]
)
note_unreadable: Final = UnreadableNotes(_met, What).note
