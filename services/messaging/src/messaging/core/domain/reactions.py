"""Reactions: any emoji; the six emotions of old clients are names of six of them."""

from __future__ import annotations

from typing import ClassVar, Final

from kernel.errors import DomainError, Kind

KINDS_MAX: Final = 20
PER_PERSON_MAX: Final = 5
EMOTIONS: Final = {"like": "👍", "love": "❤️", "laugh": "😂", "sad": "😢", "angry": "😠", "wow": "😮"}


class NotAnEmojiError(DomainError):
    code: ClassVar[str] = "messaging.reaction.not_an_emoji"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "A reaction is one emoji"


class TooManyReactionsError(DomainError):
    code: ClassVar[str] = "messaging.reaction.too_many"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "The message has as many different reactions as it can have"
