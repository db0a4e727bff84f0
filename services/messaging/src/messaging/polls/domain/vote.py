"""Votes in a poll."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from kernel.errors import DomainError, Kind
from messaging.core.domain.poll import Poll


class NotAPollError(DomainError):
    code: ClassVar[str] = "messaging.poll.not_a_poll"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "The message is not a poll"


class PollClosedError(DomainError):
    code: ClassVar[str] = "messaging.poll.closed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "The poll is closed"


class VoteInvalidError(DomainError):
    code: ClassVar[str] = "messaging.poll.vote_invalid"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "The poll has no such option, or takes only one"


def chosen_options(poll: Poll, options: Sequence[int], now: datetime) -> list[int]:
    """Each once, in order. Raises ``PollClosedError`` or ``VoteInvalidError``."""
    if poll.closed_at is not None or (poll.closes_at is not None and poll.closes_at <= now):
        raise PollClosedError
    chosen = sorted(set(options))
    if any(not 0 <= each < poll.options for each in chosen) or (len(chosen) > 1 and not poll.multiple):
        raise VoteInvalidError(pointer="/options")
    return chosen
