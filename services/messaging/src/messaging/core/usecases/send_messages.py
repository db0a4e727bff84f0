"""Store messages that arrived together: each is allowed or refused on its own, all that are allowed commit at once.

Leaves the usual shape of one command a transaction for the sake of group commit (``core/sending/sender.py``).
MSG-3: a retry finds its first copy under the dialog's lock, within the batch too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from kernel.errors import DomainError
from messaging.core.domain.dialog import BlockedError, Dialog, DialogNotFoundError, Membership, SlowModeError
from messaging.core.domain.message import (
    CONTENT_BYTES_MAX,
    ContentTooLargeError,
    Earlier,
    MentionUnknownError,
    ReplyTargetMissingError,
    ScheduledNotFoundError,
    SendMessage,
    Sent,
    body_hash,
    request_hash,
)
from messaging.core.domain.message_parts import MessageParts
from messaging.core.domain.permissions import Act
from messaging.core.domain.sending import Facts, Target
from messaging.core.domain.stream import NewMessage
from messaging.core.usecases.attach_message_parts import attach_message_parts
from messaging.core.usecases.find_message_parts import find_message_parts
from messaging.core.usecases.mark_scheduled_sent import mark_scheduled_sent
from messaging.core.usecases.ports import Tx


async def send_messages(commands: Sequence[SendMessage], tx: Tx) -> list[Sent | DomainError]:
    """One answer for each command, in order."""
    dialogs = await tx.stream.lock_many({each.dialog_id for each in commands})
    facts = await tx.sends.read_facts(commands, dialogs)
    targets = await tx.sends.present_targets(
        {
            (each.sender_id, each.dialog_id, seq)
            for each in commands
            for seq in (each.reply_to_seq, each.thread_seq)
            if seq is not None
        }
    )
    people = await tx.sends.present_people(
        {(each.dialog_id, UUID(who)) for each in commands for who in each.mentions if not who.startswith("@")}
    )
    parts = await find_message_parts(commands, tx)
    await tx.stream.ready({each.sender_id for each in commands})
    waiting = await tx.waiting_sends.hold([each.client_message_id for each in commands if each.scheduled])
    answers: list[Sent | DomainError] = []
    batch = _Batch(tx, targets, people, waiting)
    for command, known, part in zip(commands, facts, parts, strict=True):
        try:
            answers.append(batch.send(dialogs.get(command.dialog_id), command, known, part))
        except DomainError as refusal:
            answers.append(refusal)
    await tx.sends.record_slow_mode(batch.paced, tx.now)
    await attach_message_parts(batch.stored, tx)
    await mark_scheduled_sent([(command, seq) for command, seq, _ in batch.stored if command.scheduled], tx)
    return answers


class _Batch:
    """The rules, with what the batch itself has already stored."""

    def __init__(
        self,
        tx: Tx,
        targets: Mapping[tuple[UUID, UUID, int], Target],
        people: set[tuple[UUID, UUID]],
        waiting: frozenset[UUID],
    ) -> None:
        self._tx = tx
        self._targets = targets
        self._people = people
        self._waiting = waiting
        self._earlier: dict[tuple[UUID, UUID, UUID], Earlier] = {}
        self.paced: list[tuple[UUID, UUID]] = []
        self.stored: list[tuple[SendMessage, int, MessageParts]] = []

    def send(
        self, dialog: Dialog | None, command: SendMessage, known: Facts, parts: MessageParts | DomainError
    ) -> Sent:
        if dialog is None:
            raise DialogNotFoundError
        tx, who = self._tx, (command.dialog_id, command.sender_id)
        content = tx.stream.encode(command.content)
        fingerprint = request_hash(content, command)
        earlier = known.earlier or self._earlier.get((*who, command.client_message_id))
        if known.member is not None and known.member.present and earlier is not None:
            # Forwards that the version before this one stored go by what they said.
            return earlier.again(fingerprint, body_hash(content, command))
        if command.scheduled and command.client_message_id not in self._waiting:
            raise ScheduledNotFoundError
        member = dialog.require(known.member, command.act, tx.now)
        if known.blocked:
            raise BlockedError
        if any(each.startswith("@") for each in command.mentions):
            dialog.require(member, Act.MENTION_ALL, tx.now)
        if dialog.slow_mode_s and member.paced:
            self._require_pace(dialog, member)
        thread_seq = self._require_targets(command, dialog.first_seq_of(member))
        if len(content) > CONTENT_BYTES_MAX:
            raise ContentTooLargeError(pointer="/content")
        if isinstance(parts, DomainError):
            raise parts
        seq, at = tx.stream.post(
            dialog,
            NewMessage(
                sender_id=command.sender_id,
                type=command.type,
                content=command.content,
                client_message_id=command.client_message_id,
                body_hash=fingerprint,
                reply_to_seq=command.reply_to_seq,
                thread_seq=thread_seq,
                forward=command.forward,
                mentions=command.mentions,
            ),
            parts.fields,
        )
        self._earlier[(*who, command.client_message_id)] = Earlier(seq, fingerprint, at)
        self.stored.append((command, seq, parts))
        return Sent(seq=seq, sent_at=at)

    def _require_pace(self, dialog: Dialog, member: Membership) -> None:
        who = (dialog.dialog_id, member.user_id)
        dialog.require_pace(member, self._tx.now)
        if who in self.paced:
            raise SlowModeError(retry_after_s=float(dialog.slow_mode_s))
        self.paced.append(who)

    def _require_targets(self, command: SendMessage, first_seq: int) -> int | None:
        """The thread it belongs to: an answer to an answer is in the thread of both.

        What the sender may not see, from before ``first_seq`` or deleted for themselves, is not there for them.
        """
        self._target("reply_to_seq", command, command.reply_to_seq, first_seq)
        answered = self._target("thread_seq", command, command.thread_seq, first_seq)
        if answered is not None and (not answered.thread_open or answered.thread_seq < first_seq):
            raise ReplyTargetMissingError(pointer="/thread_seq")
        for who in command.mentions:
            if not who.startswith("@") and (command.dialog_id, UUID(who)) not in self._people:
                raise MentionUnknownError(pointer="/mentions")
        return None if answered is None else answered.thread_seq

    def _target(self, name: str, command: SendMessage, seq: int | None, first_seq: int) -> Target | None:
        if seq is None:
            return None
        target = self._targets.get((command.sender_id, command.dialog_id, seq))
        if target is None or seq < first_seq:
            raise ReplyTargetMissingError(pointer=f"/{name}")
        return target
