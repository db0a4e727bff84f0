"""Every branch of coming into a dialog by an invite, by an open door or by asking, on stores in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from messaging.core.domain.cards import EntityType
from messaging.core.domain.dialog import (
    BlockedError,
    DialogClosedError,
    DialogKind,
    DialogNotFoundError,
    MemberStatus,
    NotAllowedError,
)
from messaging.core.domain.invite import InviteInvalidError
from messaging.core.domain.membership import BannedError, DialogFullError, FixedMembersError
from messaging.core.domain.permissions import Role
from messaging.core.usecases.create_invite import CreateInvite, create_invite
from messaging.core.usecases.decide_join_request import (
    DecideJoinRequest,
    JoinRequestNotFoundError,
    decide_join_request,
)
from messaging.core.usecases.discuss_product import ApprovalNeededError, DiscussProduct, discuss_product
from messaging.core.usecases.join_by_invite import JoinByInvite, join_by_invite
from messaging.core.usecases.join_public_dialog import JoinPublicDialog, join_public_dialog
from messaging.core.usecases.reach_product import TopicUnknownError
from messaging.core.usecases.revoke_invite import RevokeInvite, revoke_invite
from messaging_testing.fakes_core import FakeTx

OWNER, ADMIN, MEMBER, GUEST = (UUID(int=number) for number in range(1, 5))


@pytest.fixture
def tx():
    return FakeTx()


@pytest.fixture
def group(tx):
    return tx.dialog(DialogKind.GROUP, (OWNER, Role.OWNER), (ADMIN, Role.ADMIN), (MEMBER, Role.MEMBER))


async def link(tx, dialog, by=MEMBER, **options):
    return await create_invite(CreateInvite(dialog_id=dialog.dialog_id, by=by, **options), tx)


def come(tx, token, user_id=GUEST):
    return join_by_invite(JoinByInvite(token=token, user_id=user_id), tx)


def uses(tx):
    return [each.uses for each in tx.invites.by_hash.values()]


async def test_an_invite_is_counted_with_the_seat_it_gave(tx, group):
    made = await link(tx, group, uses_max=1)
    assert await come(tx, made.token) == (group.dialog_id, "joined")
    assert uses(tx) == [1]
    tx.change_member(group, GUEST, status=MemberStatus.LEFT)
    with pytest.raises(InviteInvalidError):
        await come(tx, made.token)


async def test_who_is_in_uses_no_invite_up(tx, group):
    made = await link(tx, group, uses_max=1)
    assert await come(tx, made.token, ADMIN) == (group.dialog_id, "member")
    assert uses(tx) == [0]


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked", "maker out", "maker ended", "maker may not"])
async def test_when_a_link_is_worth_nothing(tx, group, why):
    made = await link(tx, group, expires_in_s=60)
    token = made.token
    if why == "unknown":
        token = "another"
    elif why == "expired":
        tx.later(timedelta(seconds=60))
    elif why == "revoked":
        await revoke_invite(RevokeInvite(dialog_id=group.dialog_id, invite_id=made.invite.invite_id, by=MEMBER), tx)
    elif why == "maker out":
        tx.change_member(group, MEMBER, status=MemberStatus.REMOVED)
    elif why == "maker ended":
        tx.endings.ended.add(MEMBER)
    else:
        tx.change_member(group, MEMBER, role=Role.GUEST)
    with pytest.raises(InviteInvalidError):
        await come(tx, token)
    assert (group.dialog_id, GUEST) not in tx.dialogs.members


async def test_who_revokes_an_invite(tx, group):
    made = await link(tx, group, by=ADMIN)
    command = RevokeInvite(dialog_id=group.dialog_id, invite_id=made.invite.invite_id, by=MEMBER)
    with pytest.raises(NotAllowedError):
        await revoke_invite(command, tx)
    with pytest.raises(InviteInvalidError):
        await revoke_invite(RevokeInvite(dialog_id=group.dialog_id, invite_id=uuid4(), by=OWNER), tx)
    await revoke_invite(RevokeInvite(dialog_id=group.dialog_id, invite_id=made.invite.invite_id, by=OWNER), tx)
    with pytest.raises(InviteInvalidError):
        await come(tx, made.token)


async def test_no_invite_to_a_dialog_of_fixed_members(tx):
    topic = tx.dialog(DialogKind.TOPIC, (OWNER, Role.OWNER), entity_type="order", entity_id=uuid4())
    with pytest.raises(FixedMembersError):
        await link(tx, topic, by=OWNER)


async def test_where_somebody_has_to_agree_a_link_makes_a_request_once(tx, group):
    group.join_approval = True
    made = await link(tx, group)
    assert [await come(tx, made.token) for _ in range(2)] == [(group.dialog_id, "requested")] * 2
    assert uses(tx) == [1]
    assert (group.dialog_id, GUEST) not in tx.dialogs.members


@pytest.mark.parametrize("why", ["banned", "closed", "full"])
async def test_who_cannot_come_in_by_a_good_link(tx, group, why):
    made = await link(tx, group)
    if why == "banned":
        await tx.members.ban_non_member(group, GUEST, tx.now, seq=1)
    group.closed = why == "closed"
    group.members_max = 3 if why == "full" else 9
    expected = {"banned": BannedError, "closed": DialogClosedError, "full": DialogFullError}[why]
    with pytest.raises(expected):
        await come(tx, made.token)
    assert uses(tx) == [0]


async def test_an_open_door_and_a_closed_one(tx, group):
    command = JoinPublicDialog(dialog_id=group.dialog_id, user_id=GUEST)
    with pytest.raises(DialogNotFoundError):
        await join_public_dialog(command, tx)
    group.is_public = True
    assert await join_public_dialog(command, tx) == "joined"


async def test_a_shops_owner_comes_in_whatever_others_made_of_the_dialog(tx):
    topic = tx.dialog(
        DialogKind.TOPIC, (OWNER, Role.OWNER), entity_type="product", entity_id=tx.product(GUEST), closed=True
    )
    await tx.members.ban_non_member(topic, GUEST, tx.now, seq=1)
    topic.members_max = 1
    assert await join_public_dialog(JoinPublicDialog(dialog_id=topic.dialog_id, user_id=GUEST), tx) == "joined"
    assert tx.member(topic, GUEST).role is Role.OWNER


@pytest.mark.parametrize("approved", [True, False])
async def test_a_request_is_decided_once(tx, group, approved):
    tx.invites.requests[group.dialog_id, GUEST] = "pending"

    def decide(approved):
        return decide_join_request(
            DecideJoinRequest(dialog_id=group.dialog_id, user_id=GUEST, by=ADMIN, approved=approved), tx
        )

    await decide(approved)
    await decide(approved)
    assert ((group.dialog_id, GUEST) in tx.dialogs.members) is approved
    with pytest.raises(JoinRequestNotFoundError):
        await decide(not approved)


async def test_what_cannot_be_decided(tx, group):
    def decide(by, *, approved=True):
        return decide_join_request(
            DecideJoinRequest(dialog_id=group.dialog_id, user_id=GUEST, by=by, approved=approved), tx
        )

    with pytest.raises(JoinRequestNotFoundError):
        await decide(ADMIN)
    with pytest.raises(NotAllowedError):
        await decide(MEMBER)
    await tx.members.ban_non_member(group, GUEST, tx.now, seq=1)
    tx.invites.requests[group.dialog_id, GUEST] = "pending"
    with pytest.raises(BannedError):
        await decide(ADMIN)
    await decide(ADMIN, approved=False)


async def test_who_asks_about_a_product_first_opens_its_dialog_which_is_the_sellers(tx):
    product_id = tx.product(OWNER)
    dialog_id, new = await discuss_product(DiscussProduct(product_id=product_id, user_id=GUEST), tx)
    dialog = tx.stream.dialogs[dialog_id]
    assert new
    assert dialog.is_public
    assert (tx.member(dialog, OWNER).role, tx.member(dialog, GUEST).role) == (Role.OWNER, Role.MEMBER)
    assert [each[:2] for each in tx.entities.cards] == [(EntityType.PRODUCT, product_id)]
    again = DiscussProduct(product_id=product_id, user_id=GUEST)
    assert await discuss_product(again, tx) == (dialog_id, False)
    other = DiscussProduct(product_id=product_id, user_id=MEMBER)
    assert await discuss_product(other, tx) == (dialog_id, False)
    assert tx.member(dialog, MEMBER).present


async def test_a_door_that_asks_first_says_where(tx):
    product_id = tx.product(OWNER)
    dialog_id, _ = await discuss_product(DiscussProduct(product_id=product_id, user_id=GUEST), tx)
    tx.stream.dialogs[dialog_id].join_approval = True
    with pytest.raises(ApprovalNeededError) as refused:
        await discuss_product(DiscussProduct(product_id=product_id, user_id=MEMBER), tx)
    assert refused.value.context == {"dialog_id": str(dialog_id)}


@pytest.mark.parametrize("why", ["no product", "not on sale", "no shop", "seller ended", "blocked"])
async def test_products_nobody_can_be_asked_about(tx, why):
    product_id = tx.product(OWNER)
    product = tx.entities.by_key[EntityType.PRODUCT, product_id]
    if why == "no product":
        product_id = uuid4()
    elif why == "not on sale":
        product.state["status"] = "withdrawn"
    elif why == "no shop":
        product.state["shop_id"] = str(uuid4())
    elif why == "seller ended":
        tx.endings.ended.add(OWNER)
    else:
        tx.contacts.blocks.add(frozenset((OWNER, GUEST)))
    with pytest.raises(BlockedError if why == "blocked" else TopicUnknownError):
        await discuss_product(DiscussProduct(product_id=product_id, user_id=GUEST), tx)
    assert tx.created == []


async def test_a_product_without_a_seller_hides_its_dialog_from_who_is_not_in(tx):
    product_id = tx.product(OWNER)
    dialog_id, _ = await discuss_product(DiscussProduct(product_id=product_id, user_id=GUEST), tx)
    tx.endings.ended.add(OWNER)
    with pytest.raises(DialogNotFoundError):
        await join_public_dialog(JoinPublicDialog(dialog_id=dialog_id, user_id=MEMBER), tx)
