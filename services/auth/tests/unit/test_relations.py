"""Friends, blocks and follows: every branch of their use cases, on fakes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from auth.domain import relation
from auth.domain.friend_request import FriendRequestStatus
from auth.domain.ids import UserId
from auth.domain.relation import GraphLimitError, NotWithOneselfError, RelationChanged, RelationKind
from auth.domain.user import UserNotFoundError
from auth.usecases.block_person import BlockPerson, block_person
from auth.usecases.end_relation import EndRelation, end_relation
from auth.usecases.follow_person import FollowPerson, follow_person
from auth.usecases.send_friend_request import SendFriendRequest, send_friend_request
from auth_testing.world import World

Act = Callable[[World, UserId, UserId], Awaitable[Any]]


async def ask(world: World, one: UserId, other: UserId) -> Any:
    async with world.begin() as tx:
        return await send_friend_request(SendFriendRequest(user_id=one, other_id=other, message=""), tx)


async def block(world: World, one: UserId, other: UserId) -> bool:
    async with world.begin() as tx:
        return await block_person(BlockPerson(user_id=one, other_id=other), tx)


async def unblock(world: World, one: UserId, other: UserId) -> None:
    async with world.begin() as tx:
        await end_relation(EndRelation(kind=RelationKind.BLOCK, user_id=one, other_id=other), tx)


async def follow(world: World, one: UserId, other: UserId) -> None:
    async with world.begin() as tx:
        await follow_person(FollowPerson(user_id=one, other_id=other), tx)


async def unfollow(world: World, one: UserId, other: UserId) -> None:
    async with world.begin() as tx:
        await end_relation(EndRelation(kind=RelationKind.FOLLOW, user_id=one, other_id=other), tx)


async def unfriend(world: World, one: UserId, other: UserId) -> None:
    async with world.begin() as tx:
        await end_relation(EndRelation(kind=RelationKind.FRIEND, user_id=one, other_id=other), tx)


async def befriend(world: World, one: UserId, other: UserId) -> None:
    await ask(world, one, other)
    await ask(world, other, one)


def two(world: World) -> tuple[UserId, UserId]:
    return world.person().id, world.person().id


def changes(world: World) -> list[tuple[RelationKind, bool]]:
    told = [each.relation for each in world.rows.facts if isinstance(each, RelationChanged)]
    return [(each.kind, each.active) for each in told]


@pytest.mark.parametrize("act", [ask, follow, block])
async def test_nobody_does_it_with_themselves_or_with_somebody_who_is_not_there(world: World, act: Act) -> None:
    me = world.person().id
    with pytest.raises(NotWithOneselfError):
        await act(world, me, me)
    with pytest.raises(UserNotFoundError):
        await act(world, me, UserId(uuid4()))
    assert world.facts() == []


@pytest.mark.parametrize("act", [ask, follow])
@pytest.mark.parametrize("by_me", [True, False])
async def test_between_two_of_whom_one_blocks_nothing_begins(world: World, act: Act, *, by_me: bool) -> None:
    me, other = two(world)
    await block(world, *((me, other) if by_me else (other, me)))
    with pytest.raises(UserNotFoundError):
        await act(world, me, other)


@pytest.mark.parametrize(
    ("begin", "end", "kind"),
    [(follow, unfollow, RelationKind.FOLLOW), (block, unblock, RelationKind.BLOCK)],
)
async def test_twice_changes_nothing(world: World, begin: Act, end: Act, kind: RelationKind) -> None:
    me, other = two(world)
    for act in (end, begin, begin, end, end):
        await act(world, me, other)
    assert changes(world) == [(kind, True), (kind, False)]


async def test_a_friendship_is_told_once_and_ended_by_either(world: World) -> None:
    me, other = two(world)
    await befriend(world, me, other)
    await unfriend(world, me, other)
    await unfriend(world, other, me)
    assert changes(world) == [(RelationKind.FRIEND, True), (RelationKind.FRIEND, False)]


@pytest.mark.parametrize("act", [follow, block])
async def test_as_many_as_one_can_have(world: World, monkeypatch: pytest.MonkeyPatch, act: Act) -> None:
    monkeypatch.setattr(relation, "LIMITS", dict.fromkeys(RelationKind, 1))
    me, other = two(world)
    await act(world, me, other)
    with pytest.raises(GraphLimitError):
        await act(world, me, world.person().id)


@pytest.mark.parametrize("by_me", [True, False])
async def test_a_block_ends_what_was_between_the_two(world: World, *, by_me: bool) -> None:
    me, other = two(world)
    await befriend(world, me, other)
    await follow(world, me, other)
    await follow(world, other, me)
    await unfriend(world, me, other)
    request = await ask(world, *((me, other) if by_me else (other, me)))
    assert await block(world, me, other) is False
    closed = world.rows.requests[request.request_id].status
    assert closed is (FriendRequestStatus.CANCELLED if by_me else FriendRequestStatus.DECLINED)
    assert [each.kind for each in world.rows.relations.values() if each.active] == [RelationKind.BLOCK]
    assert world.facts()[-4:] == ["RelationChanged", "RelationChanged", "FriendRequestClosed", "RelationChanged"]


async def test_a_block_ends_a_friendship(world: World) -> None:
    me, other = two(world)
    await befriend(world, me, other)
    await block(world, me, other)
    assert changes(world)[-2:] == [(RelationKind.FRIEND, False), (RelationKind.BLOCK, True)]


async def test_who_is_blocked_and_blocks_back_is_answered_as_of_nobody(world: World) -> None:
    me, other = two(world)
    await block(world, other, me)
    assert await block(world, me, other) is True
    assert world.rows.relations[RelationKind.BLOCK, me, other].active
