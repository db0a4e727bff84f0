"""Every branch of storing messages that arrived together, on stores in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from kernel.errors import DomainError, Kind
from messaging.core.domain.attachment import Attachment, AttachmentUnusableError
from messaging.core.domain.cards import CardUnknownError, Entity, EntityType
from messaging.core.domain.dialog import (
    BlockedError,
    DialogClosedError,
    DialogKind,
    DialogNotFoundError,
    MemberStatus,
    MutedError,
    NotAllowedError,
    SlowModeError,
)
from messaging.core.domain.message import (
    CONTENT_BYTES_MAX,
    ClientMessageIdReusedError,
    ContentTooLargeError,
    Earlier,
    MentionUnknownError,
    ReplyTargetMissingError,
    ScheduledNotFoundError,
    SendMessage,
    Sent,
    request_hash,
)
from messaging.core.domain.permissions import Role
from messaging.core.usecases.send_messages import send_messages
from messaging.core.usecases.submit_message import submit_message
from messaging_testing.fakes_core import NOW, FakeTx

OWNER, MEMBER, OTHER, STRANGER = (UUID(int=number) for number in range(1, 5))


@pytest.fixture
def tx():
    return FakeTx()


@pytest.fixture
def group(tx):
    return tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (MEMBER, Role.MEMBER), (OTHER, Role.MEMBER))


def text(dialog, sender_id=MEMBER, said="hello", **options):
    options = {"client_message_id": uuid4(), "content": {"type": "text", "text": said}, **options}
    return SendMessage(dialog_id=dialog.dialog_id, sender_id=sender_id, **options)


async def send(tx, *commands):
    answers = await send_messages(commands, tx)
    return answers[0] if len(answers) == 1 else answers


async def refusal(tx, command):
    answer = await send(tx, command)
    assert isinstance(answer, DomainError), answer
    assert tx.stream.posted == []
    return type(answer)


async def test_each_is_allowed_or_refused_on_its_own(tx, group):
    answers = await send(tx, text(group), text(group, STRANGER), text(group, OTHER))
    assert [getattr(each, "seq", type(each)) for each in answers] == [1, DialogNotFoundError, 2]
    assert [message.sender_id for _, message, _ in tx.stream.posted] == [MEMBER, OTHER]


async def test_a_dialog_that_is_not_there(tx, group):
    assert await refusal(tx, replace(text(group), dialog_id=uuid4())) is DialogNotFoundError


async def test_a_retry_in_the_same_batch_finds_its_first_copy(tx, group):
    command = text(group)
    first, again, other = await send(tx, command, command, replace(command, content={"type": "text", "text": "x"}))
    assert (again.seq, again.replayed, first.replayed) == (first.seq, True, False)
    assert isinstance(other, ClientMessageIdReusedError)
    assert len(tx.stream.posted) == 1


async def test_a_retry_is_answered_whatever_is_refused_now(tx, group):
    command = text(group)
    sent = await send(tx, command)
    hashed = request_hash(tx.stream.encode(command.content), command)
    tx.sends.earlier[group.dialog_id, MEMBER, command.client_message_id] = Earlier(sent.seq, hashed, sent.sent_at)
    group.closed = True
    assert (await send(tx, command)).replayed
    tx.change_member(group, MEMBER, status=MemberStatus.REMOVED)  # who is out is answered nothing
    assert isinstance(await send(tx, command), DialogNotFoundError)


@pytest.mark.parametrize("why", ["closed", "muted", "guest's file", "too large"])
async def test_what_hinders_a_send(tx, group, why):
    command, expected = text(group), NotAllowedError
    if why == "closed":
        group.closed, expected = True, DialogClosedError
    elif why == "muted":
        tx.change_member(group, MEMBER, status=MemberStatus.MUTED)
        expected = MutedError
    elif why == "guest's file":
        tx.change_member(group, MEMBER, role=Role.GUEST)
        command = text(group, content={"type": "file", "attachment_id": str(uuid4())})
    else:
        command, expected = text(group, said="a" * CONTENT_BYTES_MAX), ContentTooLargeError
    assert await refusal(tx, command) is expected


async def test_between_two_of_whom_one_blocks_the_other_nothing_goes(tx):
    pair = tx.dialog(DialogKind.DIRECT, (MEMBER, Role.MEMBER), (OTHER, Role.MEMBER))
    tx.contacts.blocks.add(frozenset((MEMBER, OTHER)))
    assert await refusal(tx, text(pair)) is BlockedError


async def test_slow_mode_holds_within_a_batch_too(tx, group):
    group.slow_mode_s = 10
    first, second, of_the_owner = await send(tx, text(group), text(group), text(group, OWNER))
    assert isinstance(first, Sent)
    assert isinstance(second, SlowModeError)
    assert isinstance(of_the_owner, Sent)
    assert tx.sends.paced == [(group.dialog_id, MEMBER)]
    tx.change_member(group, MEMBER, last_sent_at=NOW - timedelta(seconds=9))
    assert isinstance(await send(tx, text(group)), SlowModeError)
    tx.later(timedelta(seconds=1))
    assert isinstance(await send(tx, text(group)), Sent)


async def test_an_answer_to_an_answer_is_in_the_thread_of_both(tx, group):
    first = tx.message(group, OWNER)
    answer = tx.message(group, OTHER, thread_seq=first)
    await send(tx, text(group, thread_seq=answer, reply_to_seq=answer))
    [(_, message, _)] = tx.stream.posted
    assert (message.thread_seq, message.reply_to_seq) == (first, answer)


@pytest.mark.parametrize("why", ["absent", "deleted", "hidden", "before their time", "thread from before"])
@pytest.mark.parametrize("field", ["reply_to_seq", "thread_seq"])
async def test_what_nothing_can_be_hung_on(tx, group, why, field):
    seq = tx.message(group, OWNER)
    if why == "absent":
        seq += 1
    elif why == "deleted":
        tx.messages.rows[group.dialog_id, seq]["deleted_at"] = NOW
    elif why == "hidden":
        await tx.messages.hide(MEMBER, group.dialog_id, seq)
    else:
        group.history_from = "join"
        tx.change_member(group, MEMBER, joined_seq=seq + 1)
        if why == "thread from before":
            seq, field = tx.message(group, OTHER, thread_seq=seq), "thread_seq"
    assert await refusal(tx, text(group, **{field: seq})) is ReplyTargetMissingError


async def test_who_may_be_mentioned(tx, group):
    assert await refusal(tx, text(group, mentions=(str(STRANGER),))) is MentionUnknownError
    tx.change_member(group, MEMBER, role=Role.GUEST)
    assert await refusal(tx, text(group, mentions=("@all",))) is NotAllowedError
    assert isinstance(await send(tx, text(group, OTHER, mentions=("@all", str(OWNER)))), Sent)


async def test_a_scheduled_message_is_stored_only_while_it_waits(tx, group):
    command = text(group, scheduled=True)
    assert await refusal(tx, command) is ScheduledNotFoundError
    tx.waiting_sends.waiting.add(command.client_message_id)
    sent = await send(tx, command)
    assert tx.waiting_sends.sent == [(command.client_message_id, sent.seq)]
    [(user_id, kind, payload)] = tx.accounts.changes
    assert (user_id, kind, payload["status"], payload["seq"]) == (MEMBER, "scheduled.changed", "sent", sent.seq)


def picture(owner_id):
    return Attachment(
        attachment_id=uuid4(),
        owner_id=owner_id,
        purpose="image",
        file_name="photo.png",
        media_type="image/png",
        size_bytes=10,
        offset_bytes=10,
        status="clean",
        sha256=None,
        sha256_expected=None,
        width=1,
        height=1,
        thumbnails=(),
        attempts=0,
        created_at=NOW,
        expires_at=None,
    )


async def test_files_are_tied_to_the_message_that_shows_them(tx, group):
    one, other = picture(MEMBER), picture(MEMBER)
    both = [str(one.attachment_id), str(other.attachment_id)]
    command = text(group, content={"type": "image", "attachment_ids": both})
    tx.attachments.sendable_by[MEMBER, one.attachment_id] = one
    assert await refusal(tx, command) is AttachmentUnusableError  # one of them cannot be sent
    tx.attachments.sendable_by[MEMBER, other.attachment_id] = other
    sent = await send(tx, command)
    assert tx.attachments.uses == [
        (one.attachment_id, group.dialog_id, sent.seq, 0),
        (other.attachment_id, group.dialog_id, sent.seq, 1),
    ]
    [(_, _, extras)] = tx.stream.posted
    assert [each["attachment_id"] for each in extras["attachments"]] == [one.attachment_id, other.attachment_id]


async def test_a_poll_is_stored_with_its_message(tx, group):
    content = {"type": "poll", "options": ["a", "b", "c"], "multiple": False, "anonymous": True, "open_s": 60}
    sent = await send(tx, text(group, content=content))
    [poll] = tx.polls_added
    assert (poll.seq, poll.options, poll.closes_at) == (sent.seq, 3, NOW + timedelta(seconds=60))


@pytest.mark.parametrize(("entity_type", "parties", "shown"), [("order", (MEMBER,), True), ("order", (OTHER,), False)])
async def test_a_card_is_shown_by_who_is_a_party(tx, group, entity_type, parties, shown):
    entity = Entity(type=EntityType(entity_type), id=uuid4(), version=1, state={"number": "7"}, parties=parties)
    tx.entities.by_key[entity.type, entity.id] = entity
    command = text(group, content={"type": "order", "order_id": str(entity.id), "text": ""})
    if not shown:
        assert await refusal(tx, command) is CardUnknownError
        return
    sent = await send(tx, command)
    assert tx.entities.cards == [(entity.type, entity.id, group.dialog_id, sent.seq)]


class Way:
    """What a message passes on its way to being stored."""

    def __init__(self, known=None, refused=None):
        self.send_limits = self.forwards = self.sender = self
        self.spent, self.sent, self.known, self.refused = [], [], known, refused

    async def spend(self, sender_id, dialog_id):
        self.spent.append(dialog_id)

    def give_back(self, dialog_id):
        self.spent.remove(dialog_id)

    async def read(self, command):
        return self.known or command

    async def send(self, command):
        if self.refused:
            raise self.refused
        self.sent.append(command)
        return Sent(seq=1, sent_at=NOW)


async def test_a_message_that_is_refused_takes_nothing_from_those_who_may_write(group):
    class RefusedError(DomainError):
        code, kind, title = "test.refused", Kind.CONFLICT, "refused"

    way = Way(refused=RefusedError())
    with pytest.raises(RefusedError):
        await submit_message(text(group), way)
    assert way.spent == []
    way = Way()
    assert (await submit_message(text(group), way)).seq == 1
    assert way.spent == [group.dialog_id]


async def test_the_retry_of_a_stored_forward_is_not_sent_again(group):
    known = Sent(seq=9, sent_at=NOW, replayed=True)
    way = Way(known=known)
    assert await submit_message(text(group, forward_from=(uuid4(), 1)), way) is known
    assert way.sent == []
