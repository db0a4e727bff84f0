"""Votes in a poll."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kernel.errors import DomainError, Kind
from messaging.core.domain.poll import Poll


class NotAPollError(DomainError):
    code, kind = "messaging.poll.not_a_poll", Kind.CONFLICT
    title = "The message is not a poll"


class PollClosedError(DomainError):
    code, kind = "messaging.poll.closed", Kind.CONFLICT
    title = "The poll is closed"


class VoteInvalidError(DomainError):
    code, kind = "messaging.poll.vote_invalid", Kind.INVALID
    title = "The poll has no such option, or takes only one"


def chosen_options(poll: Poll, options: Sequence[int], now: datetime) -> list[int]:
    """Each once, in order. Raises ``PollClosedError`` or ``VoteInvalidError``."""
    if poll.closed_at is not None or (poll.closes_at is not None and poll.closes_at <= now):
        raise PollClosedError
    chosen = sorted(set(options))
    if any(not 0 <= each < poll.options for each in chosen) or (len(chosen) > 1 and not poll.multiple):
        raise VoteInvalidError(pointer="/options")
    return chosen
