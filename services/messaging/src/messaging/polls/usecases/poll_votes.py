"""Vote in a poll, take the vote back, close the poll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from kernel.errors import DomainError, Kind
from messaging.core.domain.dialog import Dialog
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.domain.poll import Poll
from messaging.core.usecases.load_message_for import LoadedMessage, load_message_for
from messaging.core.usecases.ports import Tx


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """``options``: by position, 0 is the first. Empty takes the vote back."""

    dialog_id: UUID
    seq: int
    user_id: UUID
    options: Sequence[int]


async def vote(command: Vote, tx: Tx) -> dict[str, Any]:
    """The poll as it stands now."""
    touched, poll = await _touch(command.dialog_id, command.seq, command.user_id, tx)
    if poll.closed_at is not None or (poll.closes_at is not None and poll.closes_at <= tx.now):
        raise PollClosedError
    options = sorted(set(command.options))
    if any(not 0 <= each < poll.options for each in options) or (len(options) > 1 and not poll.multiple):
        raise VoteInvalidError(pointer="/options")
    if await tx.polls.replace_votes(poll, command.user_id, options, tx.now):
        await tell_poll(touched.dialog, poll, None if poll.anonymous else command.user_id, tx)
    return await _seen(poll, command.user_id, tx)


async def close_poll(dialog_id: UUID, seq: int, user_id: UUID, tx: Tx) -> dict[str, Any]:
    """By who made it, or a moderator."""
    touched, poll = await _touch(dialog_id, seq, user_id, tx)
    if not touched.own:
        touched.dialog.require(touched.member, Act.DELETE_OTHERS, tx.now)
    await end_poll(touched.dialog, poll, user_id, tx)
    return await _seen(poll, user_id, tx)


async def end_poll(dialog: Dialog, poll: Poll, user_id: UUID | None, tx: Tx) -> None:
    """The dialog is locked. A poll that is closed stays as it is."""
    closed = await tx.conn.execute(
        "UPDATE poll SET closed_at = $3 WHERE dialog_id = $1 AND seq = $2 AND closed_at IS NULL",
        *(poll.dialog_id, poll.seq, tx.now),
    )
    if not closed.endswith(" 0"):
        await tell_poll(dialog, poll, user_id, tx)


async def tell_poll(dialog: Dialog, poll: Poll, user_id: UUID | None, tx: Tx) -> None:
    """Everybody gets the figures, not who voted."""
    shown = (await tx.polls.shown([(poll.dialog_id, poll.seq)], None))[poll.dialog_id, poll.seq]
    tx.stream.change(dialog, "poll.changed", actor_id=user_id, message_seq=poll.seq, payload={"poll": shown})


async def _touch(dialog_id: UUID, seq: int, user_id: UUID, tx: Tx) -> tuple[LoadedMessage, Poll]:
    touched = await load_message_for(tx, dialog_id, seq, user_id, Act.REACT)
    poll = await tx.polls.find(dialog_id, seq)
    if poll is None:
        raise NotAPollError
    return touched, poll


async def _seen(poll: Poll, user_id: UUID, tx: Tx) -> dict[str, Any]:
    found = await tx.polls.shown([(poll.dialog_id, poll.seq)], user_id)
    if not found:
        raise MessageNotFoundError
    return found[poll.dialog_id, poll.seq]
