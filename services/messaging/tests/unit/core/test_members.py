"""Every branch of who comes into a dialog, who goes and who owns it, on stores in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from messaging.core.domain.commands import MemberCommand
from messaging.core.domain.dialog import (
    DialogKind,
    DialogNotFoundError,
    MemberStatus,
    NotAllowedError,
    PeopleUnknownError,
)
from messaging.core.domain.membership import (
    DialogFullError,
    FixedMembersError,
    MemberNotFoundError,
    MuteOverError,
    OwnerIsBotError,
    OwnerStaysError,
    ShopOwnerError,
)
from messaging.core.domain.permissions import Role
from messaging.core.usecases.add_members import AddMembers, add_members
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.change_role import ChangeRole, change_role
from messaging.core.usecases.check_member import check_member
from messaging.core.usecases.leave_dialog import LeaveDialog, leave_dialog
from messaging.core.usecases.leave_dialogs import leave_dialogs
from messaging.core.usecases.lift_ban import lift_ban
from messaging.core.usecases.mute_member import MuteMember, mute_member
from messaging.core.usecases.remove_member import RemoveMember, remove_member
from messaging.core.usecases.transfer_dialog import transfer_dialog
from messaging_testing.fakes_core import NOW, FakeTx

OWNER, ADMIN, MEMBER, OTHER, STRANGER = (UUID(int=number) for number in range(1, 6))


@pytest.fixture
def tx():
    return FakeTx()


@pytest.fixture
def group(tx):
    return tx.dialog(
        DialogKind.GROUP, (OWNER, Role.OWNER), (ADMIN, Role.ADMIN), (MEMBER, Role.MEMBER), (OTHER, Role.MEMBER)
    )


def about_product(tx, seller, *people):
    """A product's dialog; its shop belongs to the seller."""
    return tx.dialog(DialogKind.TOPIC, *people, entity_type="product", entity_id=tx.product(seller), is_public=True)


def status_of(tx, dialog, user_id):
    return tx.member(dialog, user_id).status


def roles(tx, dialog):
    return {
        user_id: each.role
        for (place, user_id), each in tx.dialogs.members.items()
        if place == dialog.dialog_id and each.present
    }


async def test_who_is_in_already_is_not_added_again(tx, group):
    await add_members(AddMembers(dialog_id=group.dialog_id, by=MEMBER, user_ids=[OWNER, STRANGER, STRANGER]), tx)
    assert roles(tx, group)[OWNER] is Role.OWNER
    assert roles(tx, group)[STRANGER] is Role.MEMBER
    assert group.member_count == 5
    assert tx.accounts.changes == [(STRANGER, "dialog.added", {})]
    assert [each["member"]["user_id"] for each in tx.stream.told("member.changed")] == [STRANGER]


@pytest.mark.parametrize("why", ["banned", "blocks", "closed", "unknown", "ended"])
async def test_who_cannot_be_added(tx, group, why):
    if why == "banned":
        await remove_member(RemoveMember(dialog_id=group.dialog_id, by=OWNER, user_id=STRANGER, ban=True), tx)
    tx.contacts.blocks |= {frozenset((MEMBER, STRANGER))} if why == "blocks" else set()
    tx.contacts.closed |= {STRANGER} if why == "closed" else set()
    tx.contacts.unknown |= {STRANGER} if why == "unknown" else set()
    tx.endings.ended |= {STRANGER} if why == "ended" else set()
    with pytest.raises(PeopleUnknownError):
        await add_members(AddMembers(dialog_id=group.dialog_id, by=MEMBER, user_ids=[STRANGER]), tx)
    assert STRANGER not in roles(tx, group)


async def test_nobody_is_added_to_a_dialog_of_two_or_by_a_stranger(tx, group):
    pair = tx.dialog(DialogKind.DIRECT, (OWNER, Role.MEMBER), (MEMBER, Role.MEMBER))
    with pytest.raises(NotAllowedError):
        await add_members(AddMembers(dialog_id=pair.dialog_id, by=OWNER, user_ids=[OTHER]), tx)
    with pytest.raises(DialogNotFoundError):
        await add_members(AddMembers(dialog_id=group.dialog_id, by=STRANGER, user_ids=[STRANGER]), tx)


async def test_a_dialog_has_no_more_members_than_it_can_have(tx, group):
    group.members_max = 4
    with pytest.raises(DialogFullError):
        await admit_members([(group, [(STRANGER, Role.MEMBER)])], OWNER, tx)
    tx.endings.ended.add(STRANGER)  # who has ended takes no place
    await admit_members([(group, [(STRANGER, Role.MEMBER)])], OWNER, tx)
    assert STRANGER not in roles(tx, group)
    assert tx.stream.changes == []


async def test_who_left_muted_is_muted_when_they_are_back(tx, group):
    until = NOW + timedelta(hours=1)
    await mute_member(MuteMember(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER, muted=True, until=until), tx)
    await leave_dialog(LeaveDialog(dialog_id=group.dialog_id, user_id=MEMBER), tx)
    tx.invites.requests[group.dialog_id, MEMBER] = "pending"
    await admit_members([(group, [(MEMBER, Role.MEMBER)])], OWNER, tx)
    assert status_of(tx, group, MEMBER) is MemberStatus.MUTED
    told = tx.stream.told("member.changed")[-1]["member"]
    assert (told["status"], told["muted_until"]) == ("muted", until)
    assert tx.invites.requests == {(group.dialog_id, MEMBER): "approved"}


async def test_leaving_takes_along_what_was_begun(tx, group):
    waiting = uuid4()
    tx.endings.scheduled[group.dialog_id, MEMBER] = [waiting]
    tx.drafts_of[MEMBER, group.dialog_id] = 7
    await leave_dialog(LeaveDialog(dialog_id=group.dialog_id, user_id=MEMBER), tx)
    assert status_of(tx, group, MEMBER) is MemberStatus.LEFT
    assert tx.accounts.told(MEMBER) == ["scheduled.changed", "draft.changed", "dialog.removed"]
    failed = tx.accounts.changes[0][2]
    assert failed == {
        "scheduled_id": waiting,
        "status": "failed",
        "failure_code": "messaging.dialog.not_found",
        "seq": None,
    }
    with pytest.raises(DialogNotFoundError):
        await leave_dialog(LeaveDialog(dialog_id=group.dialog_id, user_id=MEMBER), tx)


async def test_an_owner_leaves_only_as_the_last_person(tx):
    dialog = tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (MEMBER, Role.MEMBER))
    with pytest.raises(OwnerStaysError):
        await leave_dialog(LeaveDialog(dialog_id=dialog.dialog_id, user_id=OWNER), tx)
    tx.people.bots.add(MEMBER)  # a bot inherits nothing
    await leave_dialog(LeaveDialog(dialog_id=dialog.dialog_id, user_id=OWNER), tx)
    assert roles(tx, dialog) == {MEMBER: Role.MEMBER}


@pytest.mark.parametrize(("kind", "may"), [(DialogKind.BOT, True), (DialogKind.DIRECT, False)])
async def test_of_dialogs_of_two_only_one_with_a_bot_can_be_left(tx, kind, may):
    dialog = tx.dialog(kind, (OWNER, Role.MEMBER), (MEMBER, Role.MEMBER))
    if may:
        await leave_dialog(LeaveDialog(dialog_id=dialog.dialog_id, user_id=OWNER), tx)
        assert status_of(tx, dialog, OWNER) is MemberStatus.LEFT
    else:
        with pytest.raises(FixedMembersError):
            await leave_dialog(LeaveDialog(dialog_id=dialog.dialog_id, user_id=OWNER), tx)


async def test_of_somebody_gone_every_dialog_goes_on(tx, group):
    other = tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (MEMBER, Role.MEMBER))
    tx.endings.ended.add(OWNER)

    class Begun:
        async def __aenter__(self):
            return tx

        async def __aexit__(self, *_):
            return None

    assert await leave_dialogs(Begun, OWNER, 2)  # there may be more
    assert not await leave_dialogs(Begun, OWNER, 2)
    assert roles(tx, group)[ADMIN] is Role.OWNER  # the highest in rank
    assert roles(tx, other) == {MEMBER: Role.OWNER}


async def test_who_is_removed_may_come_back_and_who_is_banned_may_not(tx, group):
    await remove_member(RemoveMember(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER), tx)
    assert status_of(tx, group, MEMBER) is MemberStatus.REMOVED
    with pytest.raises(MemberNotFoundError):
        await remove_member(RemoveMember(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER), tx)
    await remove_member(RemoveMember(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER, ban=True), tx)
    told = len(tx.stream.changes)
    await remove_member(RemoveMember(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER, ban=True), tx)
    assert len(tx.stream.changes) == told  # it is banned already
    assert status_of(tx, group, MEMBER) is MemberStatus.BANNED
    await lift_ban(MemberCommand(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER), tx)
    assert status_of(tx, group, MEMBER) is MemberStatus.REMOVED
    with pytest.raises(MemberNotFoundError):
        await lift_ban(MemberCommand(dialog_id=group.dialog_id, by=ADMIN, user_id=MEMBER), tx)


async def test_a_member_who_is_banned_goes_at_once(tx, group):
    await remove_member(RemoveMember(dialog_id=group.dialog_id, by=OWNER, user_id=ADMIN, ban=True), tx)
    assert status_of(tx, group, ADMIN) is MemberStatus.BANNED
    assert tx.accounts.changes[-1] == (ADMIN, "dialog.removed", {"reason": "banned"})


@pytest.mark.parametrize(("by", "whom"), [(ADMIN, OWNER), (ADMIN, ADMIN), (MEMBER, OTHER)])
async def test_nobody_removes_an_equal_or_a_superior(tx, group, by, whom):
    with pytest.raises(NotAllowedError):
        await remove_member(RemoveMember(dialog_id=group.dialog_id, by=by, user_id=whom), tx)


async def test_roles_are_given_below_ones_own(tx, group):
    def give(by, user_id, role):
        return change_role(ChangeRole(dialog_id=group.dialog_id, by=by, user_id=user_id, role=role), tx)

    await give(OWNER, MEMBER, Role.MODERATOR)
    assert roles(tx, group)[MEMBER] is Role.MODERATOR
    told = len(tx.stream.changes)
    await give(OWNER, MEMBER, Role.MODERATOR)
    assert len(tx.stream.changes) == told  # the same again changes nothing
    with pytest.raises(OwnerStaysError):
        await give(ADMIN, OWNER, Role.MEMBER)
    with pytest.raises(NotAllowedError):
        await give(ADMIN, MEMBER, Role.ADMIN)
    with pytest.raises(NotAllowedError):
        await give(OWNER, MEMBER, Role.OWNER)  # it is handed over, not granted
    with pytest.raises(MemberNotFoundError):
        await give(OWNER, STRANGER, Role.GUEST)
    tx.endings.ended.add(MEMBER)
    with pytest.raises(MemberNotFoundError):
        await give(OWNER, MEMBER, Role.GUEST)


async def test_a_mute_ends_in_the_future(tx, group):
    with pytest.raises(MuteOverError):
        await mute_member(MuteMember(dialog_id=group.dialog_id, by=OWNER, user_id=MEMBER, muted=True, until=NOW), tx)
    await mute_member(MuteMember(dialog_id=group.dialog_id, by=OWNER, user_id=MEMBER, muted=True), tx)
    assert status_of(tx, group, MEMBER) is MemberStatus.MUTED
    await mute_member(MuteMember(dialog_id=group.dialog_id, by=OWNER, user_id=MEMBER, muted=False), tx)
    assert status_of(tx, group, MEMBER) is MemberStatus.ACTIVE


async def test_a_dialog_is_handed_over_to_a_person_who_is_in(tx, group):
    def hand(by, user_id):
        return transfer_dialog(MemberCommand(dialog_id=group.dialog_id, by=by, user_id=user_id), tx)

    with pytest.raises(MemberNotFoundError):
        await hand(OWNER, STRANGER)
    with pytest.raises(NotAllowedError):
        await hand(ADMIN, MEMBER)
    tx.people.bots.add(OTHER)
    with pytest.raises(OwnerIsBotError):
        await hand(OWNER, OTHER)
    await hand(OWNER, OWNER)
    assert tx.stream.changes == []
    tx.change_member(group, MEMBER, status=MemberStatus.MUTED)
    await hand(OWNER, MEMBER)
    assert (roles(tx, group)[OWNER], roles(tx, group)[MEMBER]) == (Role.ADMIN, Role.OWNER)
    assert status_of(tx, group, MEMBER) is MemberStatus.ACTIVE  # nobody stands above an owner to lift a mute


async def test_nothing_to_change_hides_what_a_change_would_hide(tx, group):
    await check_member(MemberCommand(dialog_id=group.dialog_id, by=MEMBER, user_id=OTHER), tx)
    with pytest.raises(MemberNotFoundError):
        await check_member(MemberCommand(dialog_id=group.dialog_id, by=MEMBER, user_id=STRANGER), tx)
    with pytest.raises(DialogNotFoundError):
        await check_member(MemberCommand(dialog_id=group.dialog_id, by=STRANGER, user_id=OTHER), tx)


async def test_a_shops_owner_is_not_shut_out_of_the_dialog_about_their_product(tx):
    dialog = about_product(tx, MEMBER, (OWNER, Role.OWNER), (MEMBER, Role.MODERATOR))
    place = {"dialog_id": dialog.dialog_id, "by": OWNER, "user_id": MEMBER}
    for refused in (
        remove_member(RemoveMember(**place), tx),
        remove_member(RemoveMember(**place, ban=True), tx),
        mute_member(MuteMember(**place, muted=True), tx),
        change_role(ChangeRole(**place, role=Role.GUEST), tx),
    ):
        with pytest.raises(ShopOwnerError):
            await refused
    await change_role(ChangeRole(**place, role=Role.ADMIN), tx)  # no demotion
    tx.change_member(dialog, MEMBER, status=MemberStatus.LEFT)
    with pytest.raises(ShopOwnerError):
        await remove_member(RemoveMember(**place, ban=True), tx)


async def test_a_shops_owner_who_comes_back_owns_the_dialog_again(tx):
    dialog = about_product(tx, STRANGER, (OWNER, Role.OWNER))
    await admit_members([(dialog, [(STRANGER, Role.MEMBER)])], None, tx)
    assert roles(tx, dialog) == {OWNER: Role.MEMBER, STRANGER: Role.OWNER}


async def test_an_owner_that_cannot_be_one_is_replaced_by_whoever_comes_next(tx):
    dialog = tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER))
    tx.people.bots.add(OWNER)
    await admit_members([(dialog, [(MEMBER, Role.MEMBER)])], None, tx)
    assert roles(tx, dialog) == {OWNER: Role.MEMBER, MEMBER: Role.OWNER}


async def test_of_two_owners_the_longest_in_stays_one(tx):
    dialog = tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (ADMIN, Role.OWNER))
    await admit_members([(dialog, [(MEMBER, Role.MEMBER)])], None, tx)
    assert roles(tx, dialog) == {OWNER: Role.OWNER, ADMIN: Role.MEMBER, MEMBER: Role.MEMBER}


async def test_dialogs_of_fixed_members_have_no_owner(tx):
    topic = tx.dialog(DialogKind.TOPIC, entity_type="order", entity_id=uuid4())
    await admit_members([(topic, [(MEMBER, Role.MEMBER)])], None, tx)
    assert roles(tx, topic) == {MEMBER: Role.MEMBER}
