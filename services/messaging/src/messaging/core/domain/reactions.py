"""Reactions: any emoji; the six emotions of old clients are names of six of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kernel.errors import DomainError, Kind

KINDS_MAX: Final = 20
PER_PERSON_MAX: Final = 5
EMOTIONS: Final = {"like": "👍", "love": "❤️", "laugh": "😂", "sad": "😢", "angry": "😠", "wow": "😮"}


class NotAnEmojiError(DomainError):
    code, kind = "messaging.reaction.not_an_emoji", Kind.INVALID
    title = "A reaction is one emoji"


class TooManyReactionsError(DomainError):
    code, kind = "messaging.reaction.too_many", Kind.CONFLICT
    title = "The message has as many different reactions as it can have"


@dataclass(frozen=True, slots=True)
class Reaction:
    """One person's emoji on one message."""

    dialog_id: UUID
    seq: int
    user_id: UUID
    emoji: str


@dataclass(frozen=True, slots=True)
class ReactionCounts:
    """Before a reaction is added: other emoji on its message, how many of them are the person's, and whether its own
    is on it already.
    """

    kinds: int
    own: int
    known: bool


def has_room(counts: ReactionCounts) -> bool:
    """Whether one more reaction may be put on the message."""
    return (counts.known or counts.kinds < KINDS_MAX) and counts.own < PER_PERSON_MAX
