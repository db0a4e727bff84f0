"""Every branch of editing, deleting, pinning, reacting and reading, on stores in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.dialog import BlockedError, DialogKind, DialogNotFoundError, MemberStatus, NotAllowedError
from messaging.core.domain.message import CONTENT_BYTES_MAX, ContentTooLargeError, MessageNotFoundError
from messaging.core.domain.permissions import Role
from messaging.core.domain.reactions import KINDS_MAX, PER_PERSON_MAX, Reaction, TooManyReactionsError
from messaging.core.usecases.change_reaction import ChangeReaction, change_reaction
from messaging.core.usecases.delete_message_for_all import delete_message_for_all
from messaging.core.usecases.delete_message_for_self import delete_message_for_self
from messaging.core.usecases.edit_message import (
    WINDOW,
    EditMessage,
    EditWindowOverError,
    MessageChangedMeanwhileError,
    NotEditableError,
    edit_message,
)
from messaging.core.usecases.follow_privacy import FollowPrivacy, follow_privacy
from messaging.core.usecases.move_cursor import MoveCursor, move_cursor
from messaging.core.usecases.pin_message import PINS_MAX, PinMessage, TooManyPinsError, pin_message
from messaging_testing.fakes_core import NOW, FakeTx

OWNER, MEMBER, OTHER, STRANGER = (UUID(int=number) for number in range(1, 5))


@pytest.fixture
def tx():
    return FakeTx()


@pytest.fixture
def group(tx):
    return tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (MEMBER, Role.MEMBER), (OTHER, Role.MEMBER))


def edit(tx, dialog, seq, text="changed", *, version=None, **content):
    content = {"type": "text", "text": text, **content}
    return edit_message(
        EditMessage(dialog_id=dialog.dialog_id, seq=seq, user_id=MEMBER, content=content, expected_version=version),
        tx,
    )


async def test_what_it_said_before_is_kept(tx, group):
    seq = tx.message(group, MEMBER)
    shown = await edit(tx, group, seq)
    assert (shown["content"]["text"], shown["version"], shown["viewer_id"]) == ("changed", 2, MEMBER)
    assert [each["content"]["text"] for each in tx.messages.revisions] == ["hello"]
    assert tx.stream.told("message.edited") == [{"sender_id": MEMBER, "version": 2, "message_seq": seq}]


async def test_the_same_content_again_changes_nothing(tx, group):
    seq = tx.message(group, MEMBER)
    tx.later(WINDOW * 2)
    shown = await edit(tx, group, seq, "hello")
    assert shown["version"] == 1
    assert tx.stream.changes == []


@pytest.mark.parametrize("why", ["another's", "too late", "version", "type", "field", "forward", "too large", "gone"])
async def test_what_cannot_be_edited(tx, group, why):
    seq = tx.message(group, OTHER if why == "another's" else MEMBER)
    row, options, expected = tx.messages.rows[group.dialog_id, seq], {}, NotEditableError
    if why == "another's":
        expected = NotAllowedError
    elif why == "too late":
        tx.later(WINDOW + timedelta(seconds=1))
        expected = EditWindowOverError
    elif why == "version":
        options, expected = {"version": 2}, MessageChangedMeanwhileError
    elif why == "type":
        row["type"] = "poll"
    elif why == "field":
        options = {"language": "python"}
    elif why == "forward":
        row["forward"] = {"seq": 1}
    elif why == "too large":
        options, expected = {"text": "a" * CONTENT_BYTES_MAX}, ContentTooLargeError
    else:
        row["content"] = None  # its writer's key is shredded
    with pytest.raises(expected):
        await edit(tx, group, seq, **options)
    assert tx.messages.revisions == []


@pytest.mark.parametrize("why", ["deleted", "hidden", "before their time", "stranger"])
async def test_what_is_not_there_is_not_acted_on(tx, group, why):
    seq, user_id, expected = tx.message(group, OWNER), MEMBER, MessageNotFoundError
    if why == "deleted":
        tx.messages.rows[group.dialog_id, seq]["deleted_at"] = NOW
    elif why == "hidden":
        await tx.messages.hide(MEMBER, group.dialog_id, seq)
    elif why == "before their time":
        group.history_from = "join"
        tx.change_member(group, MEMBER, joined_seq=seq + 1)
    else:
        user_id, expected = STRANGER, DialogNotFoundError
    place = {"dialog_id": group.dialog_id, "seq": seq, "user_id": user_id}
    with pytest.raises(expected):
        await pin_message(PinMessage(**place, pinned=True), tx)
    with pytest.raises(expected):
        await change_reaction(ChangeReaction(**place, emoji="👍", added=True), tx)
    assert tx.stream.changes == []


async def test_between_two_of_whom_one_blocks_the_other_nothing_is_acted_on(tx):
    pair = tx.dialog(DialogKind.DIRECT, (MEMBER, Role.MEMBER), (OTHER, Role.MEMBER))
    seq = tx.message(pair, OTHER)
    tx.contacts.blocks.add(frozenset((MEMBER, OTHER)))
    command = ChangeReaction(dialog_id=pair.dialog_id, seq=seq, user_id=MEMBER, emoji="👍", added=True)
    with pytest.raises(BlockedError):
        await change_reaction(command, tx)


def delete(tx, dialog, seq, user_id=MEMBER):
    command = MessageCommand(dialog_id=dialog.dialog_id, seq=seq, user_id=user_id)
    return delete_message_for_all(command, tx)


async def test_ones_own_is_deleted_whatever_hinders_one_from_writing(tx, group):
    seq = tx.message(group, MEMBER)
    group.closed = True
    tx.change_member(group, MEMBER, status=MemberStatus.MUTED, role=Role.GUEST)
    await tx.messages.hide(MEMBER, group.dialog_id, seq)
    await delete(tx, group, seq)
    row = tx.messages.rows[group.dialog_id, seq]
    assert (row["content"], row["deleted_by"]) == (None, MEMBER)
    assert tx.kept_if_held == tx.attachments.untied == [(group.dialog_id, seq)]
    await delete(tx, group, seq)
    assert len(tx.stream.told("message.deleted")) == 1  # deleting it again changes nothing


async def test_anothers_is_deleted_by_who_may(tx, group):
    seq = tx.message(group, OTHER)
    with pytest.raises(NotAllowedError):
        await delete(tx, group, seq)
    await tx.messages.hide(OWNER, group.dialog_id, seq)
    with pytest.raises(MessageNotFoundError):  # only what is there for the person
        await delete(tx, group, seq, OWNER)
    tx.messages.hidden.clear()
    await delete(tx, group, seq, OWNER)
    with pytest.raises(MessageNotFoundError):  # it is gone, and not by them
        await delete(tx, group, seq, OTHER)
    with pytest.raises(MessageNotFoundError):
        await delete(tx, group, seq + 1, OWNER)


async def test_what_is_deleted_for_oneself_others_keep(tx, group):
    seq = tx.message(group, OWNER)
    command = MessageCommand(dialog_id=group.dialog_id, seq=seq, user_id=MEMBER)
    for _ in range(2):
        await delete_message_for_self(command, tx)
    assert tx.accounts.told(MEMBER) == ["message.hidden"]
    assert [each.told for each in tx.cursors_moved] == [False]
    assert tx.stream.changes == []
    with pytest.raises(MessageNotFoundError):
        await delete_message_for_self(MessageCommand(dialog_id=group.dialog_id, seq=seq + 1, user_id=MEMBER), tx)


async def test_a_pin_is_told_once_and_there_are_only_so_many(tx, group):
    def pin(seq, *, pinned=True):
        command = PinMessage(dialog_id=group.dialog_id, seq=seq, user_id=MEMBER, pinned=pinned)
        return pin_message(command, tx)

    seqs = [tx.message(group, OWNER) for _ in range(PINS_MAX + 1)]
    for seq in seqs[:PINS_MAX]:
        await pin(seq)
    await pin(seqs[0])  # one more time the same
    assert len(tx.stream.told("pin.changed")) == PINS_MAX
    with pytest.raises(TooManyPinsError):
        await pin(seqs[-1])
    await pin(seqs[0], pinned=False)
    await pin(seqs[0], pinned=False)
    assert [each["pinned"] for each in tx.stream.told("pin.changed")[PINS_MAX:]] == [False]


async def test_a_reaction_twice_changes_nothing_the_second_time(tx, group):
    seq = tx.message(group, OWNER)
    for added in (True, True, False, False):
        await change_reaction(
            ChangeReaction(dialog_id=group.dialog_id, seq=seq, user_id=MEMBER, emoji="👍", added=added), tx
        )
    assert [(each["added"], each["count"]) for each in tx.stream.told("reaction.changed")] == [(True, 1), (False, 0)]


async def test_how_many_reactions_a_message_and_a_person_can_have(tx, group):
    seq = tx.message(group, OWNER)

    def add(emoji, user_id=MEMBER):
        return change_reaction(
            ChangeReaction(dialog_id=group.dialog_id, seq=seq, user_id=user_id, emoji=emoji, added=True), tx
        )

    for number in range(PER_PERSON_MAX):
        await add(f"e{number}")
    with pytest.raises(TooManyReactionsError):
        await add("one more")
    for number in range(PER_PERSON_MAX, KINDS_MAX):
        tx.reactions.reactions.add(Reaction(group.dialog_id, seq, UUID(int=100 + number), f"e{number}"))
    with pytest.raises(TooManyReactionsError):
        await add("a new kind", OTHER)
    await add("e7", OTHER)  # one that is there already


async def test_a_cursor_moves_forward_and_a_mark_is_told_once(tx, group):
    def move(**options):
        return move_cursor(MoveCursor(dialog_id=group.dialog_id, user_id=MEMBER, **options), tx)

    await move(read_seq=3)
    await move(read_seq=2)
    assert [each.read_seq for each in tx.cursors_moved] == [3]
    for _ in range(2):
        await move(marked_unread=True)
    assert tx.accounts.told(MEMBER) == ["read.changed", "dialog.settings"]
    with pytest.raises(DialogNotFoundError):
        await move_cursor(MoveCursor(dialog_id=group.dialog_id, user_id=STRANGER), tx)


@pytest.mark.parametrize("receipts", [True, False])
async def test_what_was_read_while_one_told_nobody_is_not_told_later(tx, receipts):
    command = FollowPrivacy(
        user_id=MEMBER, version=2, presence_to="nobody", direct_from="all", read_receipts=receipts, since=NOW
    )
    await follow_privacy(command, tx)
    await follow_privacy(command, tx)  # no news
    assert tx.cursors.held == ([] if receipts else [MEMBER, MEMBER])
    assert tx.cursors.untold == ([] if receipts else [MEMBER])
    assert len(tx.visibilities) == 2
