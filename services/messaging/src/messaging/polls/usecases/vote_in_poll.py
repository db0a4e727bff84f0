"""Vote in a poll, or take the vote back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from messaging.core.domain.commands import MessageCommand
from messaging.polls.domain.vote import chosen_options
from messaging.polls.usecases.announce_poll import announce_poll
from messaging.polls.usecases.load_poll import load_poll
from messaging.polls.usecases.ports import Tx
from messaging.polls.usecases.show_poll import show_poll


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteInPoll(MessageCommand):
    """``options``: by position, 0 is the first. Empty takes the vote back."""

    options: Sequence[int]


async def vote_in_poll(command: VoteInPoll, tx: Tx) -> dict[str, Any]:
    """The poll as it stands now. Raises ``NotAPollError``, ``PollClosedError`` or ``VoteInvalidError``."""
    message, poll = await load_poll(command.dialog_id, command.seq, command.user_id, tx)
    options = chosen_options(poll, command.options, tx.now)
    if await tx.polls.replace_votes(poll, command.user_id, options, tx.now):
        await announce_poll(message.dialog, poll, None if poll.anonymous else command.user_id, tx)
    return await show_poll(poll, command.user_id, tx)
