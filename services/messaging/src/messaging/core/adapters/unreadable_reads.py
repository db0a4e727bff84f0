"""Stored things that cannot be opened or are of another shape: they are given as what is not available, and told here.

Invariant: whatever is damaged in one row is that row's outcome alone; nobody's read fails by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from prometheus_client import Counter

from operations import UnreadableNotes


class What(StrEnum):
    """What of a row is damaged."""

    KEY = "key"
    SEALED = "sealed"
    FIELD = "field"


_met = Counter("messaging_unreadable", "Reads of something stored that is damaged; each thing is logged once", ["what"])
note_unreadable: Final = UnreadableNotes(_met, What).note


def object_or_none(value: Any, **place: object) -> Mapping[str, Any] | None:
    """A stored JSON object; None for one of another shape."""
    if isinstance(value, dict):
        return value
    if value is not None:
        note_unreadable(What.FIELD, **place)
    return None


def text_or_none(value: Any, **place: object) -> str | None:
    """A stored text that is not empty; None for what is not there or is no text."""
    if isinstance(value, str) and value:
        return value
    note_unreadable(What.FIELD, **place)
    return None


def permissions_of(value: Any, **place: object) -> Mapping[str, Sequence[str]]:
    """Acts by role as a dialog keeps them. A role whose acts are of another shape has its usual ones.

    People go on talking where one row is damaged; what can be read of what their owner set still holds.
    """
    found = value if isinstance(value, dict) else {}
    readable = {role: acts for role, acts in found.items() if _are_texts(acts)}
    if len(readable) < len(found) or found is not value:
        note_unreadable(What.FIELD, field="permissions", **place)
    return readable


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
