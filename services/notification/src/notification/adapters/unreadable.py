"""Stored notifications and deliveries that are damaged: each is its own outcome, and told here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from prometheus_client import Counter

from operations import UnreadableNotes


class What(StrEnum):
    """What is damaged."""

    NOTIFICATION = "notification"
    DELIVERY = "delivery"


_met = Counter(
    "notification_unreadable", "Reads of something stored that is damaged; each thing is logged once", ["what"]
)
note_unreadable: Final = UnreadableNotes(_met, What).note
