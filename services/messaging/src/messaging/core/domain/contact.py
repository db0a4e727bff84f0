"""Whom a person cannot write to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Who cannot be written to, and why: the reason is for the rules, never for the client.

    ``unknown``: not heard of yet, or ended; ``ended``: those of them who are not to come.
    """

    unknown: frozenset[UUID]
    blocked: frozenset[UUID]
    ended: frozenset[UUID]
