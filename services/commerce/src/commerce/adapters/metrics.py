"""Stored JSON of another shape than it was written in: what can be read without it is given, and it is told here.

Invariant: whatever is damaged in one row is that row's outcome alone; nobody else's list, cart or order fails by it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from prometheus_client import Counter

from operations import UnreadableNotes


class What(StrEnum):
    """What is damaged."""

    PRODUCT = "product"
    SHOP = "shop"
    CATEGORY = "category"
    ORDER = "order"


_met = Counter("commerce_unreadable", "Reads of something stored that is damaged; each thing is logged once", ["what"])
note_unreadable: Final = UnreadableNotes(_met, What).note
