"""Every branch of opening, changing and closing dialogs, and of acting in a person's name, on stores in memory."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from chassis.tokens import TokenRevokedError
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import (
    BlockedError,
    DialogKind,
    DialogNotFoundError,
    NotAllowedError,
    PeopleUnknownError,
)
from messaging.core.domain.membership import FixedMembersError, MembersMaxError
from messaging.core.domain.permissions import Role
from messaging.core.domain.topic import Topic
from messaging.core.usecases.change_dialog import ChangeDialog, change_dialog
from messaging.core.usecases.change_own_settings import ChangeOwnSettings, change_own_settings
from messaging.core.usecases.close_dialog import CloseDialog, close_dialog
from messaging.core.usecases.create_dialog import (
    CreateDialog,
    PairUntitledError,
    PeopleMissingError,
    ShopUnknownError,
    create_dialog,
)
from messaging.core.usecases.follow_parties import follow_parties
from messaging.core.usecases.hold_access import hold_access
from messaging.core.usecases.leave_dialog import LeaveDialog, leave_dialog
from messaging.core.usecases.open_topics import open_topics
from messaging.core.usecases.reset_access import reset_access
from messaging_testing.fakes_core import NOW, FakeTx

OWNER, MEMBER, OTHER, BOT = (UUID(int=number) for number in range(1, 5))


@pytest.fixture
def tx():
    tx = FakeTx()
    tx.people.bots.add(BOT)
    return tx


@pytest.fixture
def group(tx):
    return tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (MEMBER, Role.MODERATOR), (OTHER, Role.MEMBER))


def create(tx, kind, *user_ids, by=OWNER, **options):
    return create_dialog(CreateDialog(kind=kind, created_by=by, user_ids=user_ids, **options), tx)


def people(tx, dialog_id):
    return {each: member.role for (place, each), member in tx.dialogs.members.items() if place == dialog_id}


async def test_between_two_there_is_one_whoever_starts(tx):
    first, new = await create(tx, DialogKind.DIRECT, MEMBER, MEMBER, OWNER)
    assert new
    assert people(tx, first) == {OWNER: Role.MEMBER, MEMBER: Role.MEMBER}
    assert await create(tx, DialogKind.DIRECT, OWNER, by=MEMBER) == (first, False)


async def test_a_group_is_its_makers(tx):
    dialog_id, _ = await create(tx, DialogKind.GROUP, MEMBER, BOT, title="Us", is_public=True)
    assert people(tx, dialog_id) == {OWNER: Role.OWNER, MEMBER: Role.MEMBER, BOT: Role.MEMBER}
    assert tx.stream.dialogs[dialog_id].is_public


@pytest.mark.parametrize("others", [(), (MEMBER, OTHER), (OWNER,)])
async def test_a_dialog_of_two_needs_exactly_one_other(tx, others):
    with pytest.raises(PeopleMissingError):
        await create(tx, DialogKind.DIRECT, *others)


@pytest.mark.parametrize("field", ["title", "description"])
async def test_a_dialog_of_two_bears_no_name(tx, field):
    with pytest.raises(PairUntitledError) as refused:
        await create(tx, DialogKind.DIRECT, MEMBER, **{field: "x"})
    assert refused.value.pointer == f"/{field}"


@pytest.mark.parametrize(("kind", "other"), [(DialogKind.DIRECT, BOT), (DialogKind.BOT, MEMBER)])
async def test_bots_and_people_have_dialogs_of_their_own_kind(tx, kind, other):
    with pytest.raises(PeopleUnknownError):
        await create(tx, kind, other)


@pytest.mark.parametrize("kind", [DialogKind.DIRECT, DialogKind.GROUP])
@pytest.mark.parametrize("why", ["unknown", "blocks", "closed", "ended"])
async def test_who_cannot_be_written_to(tx, kind, why):
    tx.contacts.unknown |= {MEMBER} if why == "unknown" else set()
    tx.contacts.blocks |= {frozenset((OWNER, MEMBER))} if why == "blocks" else set()
    tx.contacts.closed |= {MEMBER} if why == "closed" else set()
    tx.endings.ended |= {MEMBER} if why == "ended" else set()
    hidden = kind is DialogKind.DIRECT and why in {"blocks", "closed"}
    with pytest.raises(BlockedError if hidden else PeopleUnknownError):
        await create(tx, kind, MEMBER)
    assert tx.created == []


async def test_who_left_a_bot_is_in_their_dialog_again(tx):
    dialog_id, _ = await create(tx, DialogKind.BOT, BOT)
    dialog = tx.stream.dialogs[dialog_id]
    await leave_dialog(LeaveDialog(dialog_id=dialog_id, user_id=OWNER), tx)
    assert await create(tx, DialogKind.BOT, BOT) == (dialog_id, False)
    assert tx.member(dialog, OWNER).present
    tx.endings.ended.add(BOT)
    with pytest.raises(PeopleUnknownError):
        await create(tx, DialogKind.BOT, BOT)


def shop_of(tx, owner_id, name="Shop"):
    shop = Entity(type=EntityType.SHOP, id=uuid4(), version=1, state={"name": name}, parties=(owner_id,))
    tx.entities.by_key[shop.type, shop.id] = shop
    return shop.id


async def test_a_customer_of_two_shops_of_one_owner_talks_with_each_apart(tx):
    tx.contacts.closed.add(OWNER)  # a shop is there to be written to
    first, second = shop_of(tx, OWNER), shop_of(tx, OWNER)
    made = [await create(tx, DialogKind.BUSINESS, by=MEMBER, shop_id=shop_id) for shop_id in (first, second, first)]
    assert [new for _, new in made] == [True, True, False]
    assert made[0][0] == made[2][0] != made[1][0]


@pytest.mark.parametrize("why", ["no shop", "their own", "without a name", "owner ended", "ended later", "titled"])
async def test_shops_nobody_can_write_to(tx, why):
    shop_id = shop_of(tx, MEMBER if why == "their own" else OWNER, "" if why == "without a name" else "Shop")
    options, expected = {"shop_id": shop_id}, ShopUnknownError
    if why == "no shop":
        options = {}
    elif why == "owner ended":
        tx.endings.ended.add(OWNER)
    elif why == "ended later":
        await create(tx, DialogKind.BUSINESS, by=MEMBER, **options)
        tx.endings.ended.add(OWNER)
    elif why == "titled":
        options, expected = {**options, "title": "Mine"}, PairUntitledError
    with pytest.raises(expected):
        await create(tx, DialogKind.BUSINESS, by=MEMBER, **options)


def change(tx, dialog, by=OWNER, **changes):
    command = ChangeDialog(dialog_id=dialog.dialog_id, by=by, changes=changes)
    return change_dialog(command, tx, require_version=lambda _: None)


async def test_info_and_rules_are_changed_by_who_may(tx, group):
    tx.change_member(group, MEMBER, role=Role.ADMIN)
    await change(tx, group, MEMBER, title="New", slow_mode_s=5)
    assert tx.dialogs.changed[group.dialog_id] == {"title": "New", "slow_mode_s": 5}
    assert tx.stream.told("dialog.changed") == [{"dialog": {"title": "New", "slow_mode_s": 5}}]
    await change(tx, group)
    assert len(tx.stream.changes) == 1  # nothing was changed
    with pytest.raises(NotAllowedError):
        await change(tx, group, OTHER, title="Mine")
    group.permissions = {"member": ["send", "change_info"]}
    await change(tx, group, OTHER, title="Ours")
    with pytest.raises(NotAllowedError):
        await change(tx, group, OTHER, is_public=True)


async def test_what_cannot_be_set(tx, group):
    with pytest.raises(MembersMaxError):
        await change(tx, group, members_max=1_001)
    with pytest.raises(NotAllowedError):
        await change(tx, group, permissions={"owner": []})
    pair = tx.dialog(DialogKind.DIRECT, (OWNER, Role.OWNER), (MEMBER, Role.MEMBER))
    with pytest.raises((FixedMembersError, NotAllowedError)):
        await change(tx, pair, title="Us")


async def test_who_may_not_change_it_learns_no_version(tx, group):
    def refuse(version):
        raise ValueError(version)

    def command(by):
        return ChangeDialog(dialog_id=group.dialog_id, by=by, changes={"is_public": True})

    with pytest.raises(NotAllowedError):
        await change_dialog(command(OTHER), tx, require_version=refuse)
    with pytest.raises(ValueError, match="1"):
        await change_dialog(command(OWNER), tx, require_version=refuse)


async def test_a_closed_dialog_is_opened_again_by_who_manages_roles(tx, group):
    def close(by, *, closed):
        return close_dialog(CloseDialog(dialog_id=group.dialog_id, by=by, closed=closed), tx)

    with pytest.raises(NotAllowedError):
        await close(OTHER, closed=True)
    await close(OWNER, closed=False)  # it is open
    assert tx.stream.changes == []
    await close(OWNER, closed=True)
    assert tx.stream.told("dialog.changed") == [{"dialog": {"closed_at": tx.now}}]
    group.closed = True
    await close(OWNER, closed=False)
    assert tx.dialogs.changed[group.dialog_id] == {"archived_at": None}
    with pytest.raises(DialogNotFoundError):
        await close(UUID(int=99), closed=True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"pinned": True, "archived": False}, {"pinned_at": NOW, "archived_at": None}),
        ({"pinned": None, "silent_until": None, "notification_level": None}, {"silent_until": None}),
        ({"notification_level": "none"}, {"notification_level": "none"}),
        ({}, None),
    ],
)
async def test_ones_own_settings_of_a_dialog(tx, group, given, kept):
    command = ChangeOwnSettings(dialog_id=group.dialog_id, user_id=OTHER, given=given)
    await change_own_settings(command, tx)
    assert tx.members.own_settings == ([] if kept is None else [kept])
    assert tx.accounts.changes == ([] if kept is None else [(OTHER, "dialog.settings", kept)])
    with pytest.raises(DialogNotFoundError):
        await change_own_settings(ChangeOwnSettings(dialog_id=group.dialog_id, user_id=BOT, given=given), tx)


def order(*parties):
    return Entity(type=EntityType.ORDER, id=uuid4(), version=1, state={"number": "7"}, parties=parties)


async def test_an_orders_dialog_is_its_parties(tx):
    placed = order(OWNER, MEMBER, OWNER)
    assert await open_topics([], None, tx) == []
    [dialog_id] = await open_topics([Topic.of_parties(placed, "t" * 200)], None, tx)
    assert people(tx, dialog_id) == {OWNER: Role.MEMBER, MEMBER: Role.MEMBER}
    [(_, card, extras)] = tx.stream.posted
    assert (card.type, card.content["order_id"], extras["card"]["number"]) == ("order", str(placed.id), "7")
    assert await open_topics([Topic.of_parties(placed, "again")], None, tx) == []


async def test_who_is_a_party_now_is_in_the_dialog_and_nobody_else(tx):
    placed = order(OWNER, MEMBER)
    [dialog_id] = await open_topics([Topic.of_parties(placed, "order")], None, tx)
    dialog = tx.stream.dialogs[dialog_id]
    now = Entity(type=placed.type, id=placed.id, version=2, state={}, parties=(OWNER, OTHER))
    await follow_parties([(dialog, now)], tx)
    assert not tx.member(dialog, MEMBER).present
    assert tx.member(dialog, OTHER).present
    told = len(tx.stream.changes)
    await follow_parties([(dialog, Entity(type=placed.type, id=placed.id, version=3, state={}))], tx)
    assert len(tx.stream.changes) == told  # who is a party is not told


async def test_the_first_with_a_higher_epoch_ends_what_is_there(tx):
    await hold_access(OWNER, 1, tx)
    assert tx.access.acts == [("lock", OWNER), ("end_bot_access", OWNER), ("share", OWNER)]
    assert tx.endings.own_acts_ended == tx.endings.invites_ended == [OWNER]
    await hold_access(OWNER, 1, tx)
    await hold_access(OWNER, None, tx)  # of a token that says no epoch
    assert tx.endings.own_acts_ended == [OWNER]
    await reset_access(OWNER, 2, tx)
    with pytest.raises(TokenRevokedError):
        await hold_access(OWNER, 1, tx)
    await reset_access(OWNER, 2, tx)  # told twice it is the same
    assert len(tx.endings.own_acts_ended) == 2
    await reset_access(OWNER, 0, tx)  # where it is not told
    assert (tx.access.epochs[OWNER], len(tx.endings.own_acts_ended)) == (2, 3)
