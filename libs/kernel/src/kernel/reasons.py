"""Why something happened, as a code in a record: each has a sentence that people read."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Base of the codes of one field of a record. Each member has its sentence in its service's ``reasons.toml``."""
