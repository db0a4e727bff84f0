"""How two people stand to each other.

AUTH-21: a block, either way, leaves no friendship, follow or waiting request between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from auth.domain.ids import UserId
from kernel.errors import DomainError, Kind


class RelationKind(StrEnum):
    """``friend`` is kept both ways; ``block`` and ``follow`` from one to the other."""

    FRIEND = "friend"
    BLOCK = "block"
    FOLLOW = "follow"


LIMITS: Final[Mapping[RelationKind, int]] = {
    RelationKind.FRIEND: 5_000,
    RelationKind.BLOCK: 10_000,
    RelationKind.FOLLOW: 10_000,
}


class NotWithOneselfError(DomainError):
    code, kind = "auth.graph.not_with_oneself", Kind.INVALID
    title = "That is you"


class GraphLimitError(DomainError):
    code, kind = "auth.graph.limit_reached", Kind.CONFLICT
    title = "You have as many as one can have"


@dataclass(frozen=True, slots=True)
class Relation:
    """``version`` grows each time it begins or ends."""

    kind: RelationKind
    from_id: UserId
    to_id: UserId
    version: int
    active: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class RelationChanged:
    """Announced; a friendship once, for both."""

    relation: Relation


def pair_id(one: UUID, other: UUID) -> str:
    """The same whoever of the two comes first."""
    return f"{min(one, other)}:{max(one, other)}"


def require_two(one: UserId, other: UserId) -> None:
    """Raises ``NotWithOneselfError``."""
    if one == other:
        raise NotWithOneselfError


def require_room(kind: RelationKind, count: int) -> None:
    """``count``: how many of the kind somebody has. Raises ``GraphLimitError`` when it is as many as one can have."""
    if count >= LIMITS[kind]:
        raise GraphLimitError
