"""Friend requests: every branch of sending and deciding, on fakes."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from auth.domain import relation
from auth.domain.friend_request import (
    AlreadyAskedError,
    AlreadyFriendsError,
    FriendRequest,
    FriendRequestNotFoundError,
    FriendRequestStatus,
)
from auth.domain.ids import FriendRequestId, UserId
from auth.domain.relation import GraphLimitError, RelationKind
from auth.usecases.decide_friend_request import DecideFriendRequest, decide_friend_request
from auth.usecases.send_friend_request import SendFriendRequest, send_friend_request
from auth_testing.world import World

ACCEPTED, DECLINED, CANCELLED = (
    FriendRequestStatus.ACCEPTED,
    FriendRequestStatus.DECLINED,
    FriendRequestStatus.CANCELLED,
)


async def ask(world: World, one: UserId, other: UserId) -> FriendRequest:
    async with world.begin() as tx:
        return await send_friend_request(SendFriendRequest(user_id=one, other_id=other, message="hi"), tx)


async def decide(world: World, who: UserId, request_id: FriendRequestId, status: FriendRequestStatus) -> FriendRequest:
    async with world.begin() as tx:
        return await decide_friend_request(DecideFriendRequest(user_id=who, request_id=request_id, status=status), tx)


@pytest.fixture
def two(world: World) -> tuple[UserId, UserId]:
    return world.person().id, world.person().id


async def test_a_request_waits(world: World, two: tuple[UserId, UserId]) -> None:
    request = await ask(world, *two)
    assert world.rows.requests[request.request_id] == request
    assert (request.status, request.message) == (FriendRequestStatus.PENDING, "hi")
    assert world.facts() == ["FriendRequestSent"]


async def test_twice_is_refused_with_the_request_that_waits(world: World, two: tuple[UserId, UserId]) -> None:
    request = await ask(world, *two)
    with pytest.raises(AlreadyAskedError) as refusal:
        await ask(world, *two)
    assert refusal.value.context == {"request_id": str(request.request_id)}


async def test_two_who_ask_each_other_are_friends(world: World, two: tuple[UserId, UserId]) -> None:
    await ask(world, *two)
    assert (await ask(world, two[1], two[0])).status is ACCEPTED
    assert world.facts() == ["FriendRequestSent", "RelationChanged"]
    with pytest.raises(AlreadyFriendsError):
        await ask(world, *two)


@pytest.mark.parametrize("full", ["asker", "asked"])
async def test_friends_are_as_many_as_one_can_have(
    world: World, two: tuple[UserId, UserId], monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    request = await ask(world, *two)
    third = world.person().id
    await ask(world, two[full == "asked"], third)
    await ask(world, third, two[full == "asked"])
    monkeypatch.setattr(relation, "LIMITS", dict.fromkeys(RelationKind, 1))
    with pytest.raises(GraphLimitError):
        await decide(world, two[1], request.request_id, ACCEPTED)
    with pytest.raises(GraphLimitError):
        await ask(world, two[full == "asked"], world.person().id)


@pytest.mark.parametrize(
    ("status", "decider", "told"),
    [(ACCEPTED, 1, "RelationChanged"), (DECLINED, 1, "FriendRequestClosed"), (CANCELLED, 0, "FriendRequestClosed")],
)
async def test_each_end_is_for_one_of_the_two(
    world: World, two: tuple[UserId, UserId], status: FriendRequestStatus, decider: int, told: str
) -> None:
    request = await ask(world, *two)
    for stranger in (two[1 - decider], world.person().id):
        with pytest.raises(FriendRequestNotFoundError):
            await decide(world, stranger, request.request_id, status)
    decided = await decide(world, two[decider], request.request_id, status)
    assert (decided.status, decided.decided_at) == (status, world.clock.now())
    assert await decide(world, two[decider], request.request_id, status) == decided
    assert world.facts() == ["FriendRequestSent", told]


async def test_what_is_decided_is_not_decided_otherwise(world: World, two: tuple[UserId, UserId]) -> None:
    request = await ask(world, *two)
    await decide(world, two[1], request.request_id, DECLINED)
    with pytest.raises(FriendRequestNotFoundError):
        await decide(world, two[1], request.request_id, ACCEPTED)


async def test_an_unknown_request(world: World) -> None:
    with pytest.raises(FriendRequestNotFoundError):
        await decide(world, world.person().id, FriendRequestId(uuid4()), ACCEPTED)


async def test_nobody_befriends_somebody_who_left(world: World, two: tuple[UserId, UserId]) -> None:
    request = await ask(world, *two)
    world.rows.users[two[0]] = replace(world.rows.users[two[0]], deleted_at=world.clock.now())
    with pytest.raises(FriendRequestNotFoundError):
        await decide(world, two[1], request.request_id, ACCEPTED)


async def test_a_request_that_ends_while_the_pair_is_locked(
    world: World, two: tuple[UserId, UserId], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await ask(world, *two)

    async def lock_pair(*_: UserId) -> None:
        del world.rows.requests[request.request_id]

    async with world.begin() as tx:
        monkeypatch.setattr(tx.relations, "lock_pair", lock_pair)
        command = DecideFriendRequest(user_id=two[1], request_id=request.request_id, status=ACCEPTED)
        with pytest.raises(FriendRequestNotFoundError):
            await decide_friend_request(command, tx)


async def test_friends_already_are_told_of_nothing_new(world: World, two: tuple[UserId, UserId]) -> None:
    request = await ask(world, *two)
    async with world.begin() as tx:
        await tx.relations.set(RelationKind.FRIEND, *two, tx.now, active=True)
    await decide(world, two[1], request.request_id, ACCEPTED)
    assert world.facts() == ["FriendRequestSent"]
