"""Ask, accept, decline, end; block and unblock; follow and unfollow. Doing any of it twice changes nothing.

Being blocked is not told: to a blocked person the other looks like somebody who does not exist, whatever is asked.
What counts for somebody's limits happens under the lock of their row, which the end of an account takes, too.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from auth.adapters.relation_store import GraphStore
from auth.domain.graph import (
    BLOCKS_MAX,
    FOLLOWS_MAX,
    FRIENDS_MAX,
    AlreadyAskedError,
    AlreadyFriendsError,
    FriendRequest,
    FriendRequestClosed,
    FriendRequestNotFoundError,
    FriendRequestSent,
    GraphEvent,
    GraphLimitError,
    NotWithOneselfError,
    RelationChanged,
    RelationKind,
)
from auth.domain.user import UserNotFoundError
from kernel.ids import uuid7

LIMITS = {RelationKind.FRIEND: FRIENDS_MAX, RelationKind.BLOCK: BLOCKS_MAX, RelationKind.FOLLOW: FOLLOWS_MAX}


async def ask(
    me: UUID, other: UUID, message: str, graph: GraphStore, now: datetime
) -> tuple[FriendRequest, list[GraphEvent]]:
    """Two who ask each other are friends. Raises ``AlreadyAskedError``, ``AlreadyFriendsError``."""
    await _meet(me, other, graph, counted={me, other})
    if await graph.has(RelationKind.FRIEND, me, other):
        raise AlreadyFriendsError
    waiting = await graph.waiting(me, other)
    if waiting is not None and waiting.from_id == me:
        raise AlreadyAskedError(context={"request_id": str(waiting.request_id)})
    if waiting is not None:
        return await _befriend(waiting, graph, now)
    await _require_room(RelationKind.FRIEND, me, graph)
    request = FriendRequest(uuid7(), me, other, message, "pending", now)
    await graph.add_request(request)
    return request, [FriendRequestSent(request)]


async def decide(
    me: UUID, request_id: UUID, status: str, graph: GraphStore, now: datetime
) -> tuple[FriendRequest, list[GraphEvent]]:
    """``accepted`` and ``declined`` by who was asked, ``cancelled`` by who asked."""
    found = await graph.request(request_id)
    mine = found is not None and me == (found.from_id if status == "cancelled" else found.to_id)
    if found is None or not mine:
        raise FriendRequestNotFoundError
    await graph.lock_pair(found.from_id, found.to_id)
    found = await graph.request(request_id)
    if found is not None and found.status == status:
        return found, []
    if found is None or found.status != "pending":
        raise FriendRequestNotFoundError
    if status == "accepted":
        if not await graph.hold({found.from_id, found.to_id}, ()):
            raise FriendRequestNotFoundError
        return await _befriend(found, graph, now)
    await graph.close_request(request_id, status, now)
    closed = FriendRequest(found.request_id, found.from_id, found.to_id, found.message, status, found.created_at, now)
    return closed, [FriendRequestClosed(closed)]


async def unfriend(me: UUID, other: UUID, graph: GraphStore, now: datetime) -> list[GraphEvent]:
    """Nobody has to be asked."""
    await graph.lock_pair(me, other)
    await graph.hold((), {me, other})
    return await _end_friendship(me, other, graph, now)


async def block(me: UUID, other: UUID, graph: GraphStore, now: datetime) -> tuple[list[GraphEvent], bool]:
    """AUTH-21: what was between the two ends with it. The block holds also when ``other`` blocks ``me``; then the
    second value is True, and who asked is answered as of somebody who does not exist.
    """
    if me == other:
        raise NotWithOneselfError
    await graph.lock_pair(me, other)
    if not await graph.hold({me}, {other}):
        raise UserNotFoundError
    await _require_room(RelationKind.BLOCK, me, graph)
    events = await _end_friendship(me, other, graph, now)
    for one, two in ((me, other), (other, me)):
        ended = await graph.set(RelationKind.FOLLOW, one, two, now, active=False)
        events += [RelationChanged(ended)] if ended else []
    waiting = await graph.waiting(me, other)
    if waiting is not None:
        status = "cancelled" if waiting.from_id == me else "declined"
        await graph.close_request(waiting.request_id, status, now)
        events.append(
            FriendRequestClosed(
                FriendRequest(waiting.request_id, waiting.from_id, waiting.to_id, "", status, waiting.created_at, now)
            )
        )
    begun = await graph.set(RelationKind.BLOCK, me, other, now, active=True)
    events += [RelationChanged(begun)] if begun else []
    return events, await graph.has(RelationKind.BLOCK, other, me)


async def unblock(me: UUID, other: UUID, graph: GraphStore, now: datetime) -> list[GraphEvent]:
    await graph.lock_pair(me, other)
    ended = await graph.set(RelationKind.BLOCK, me, other, now, active=False)
    return [RelationChanged(ended)] if ended else []


async def follow(me: UUID, other: UUID, graph: GraphStore, now: datetime) -> list[GraphEvent]:
    await _meet(me, other, graph, counted={me})
    await _require_room(RelationKind.FOLLOW, me, graph)
    begun = await graph.set(RelationKind.FOLLOW, me, other, now, active=True)
    return [RelationChanged(begun)] if begun else []


async def unfollow(me: UUID, other: UUID, graph: GraphStore, now: datetime) -> list[GraphEvent]:
    await graph.lock_pair(me, other)
    ended = await graph.set(RelationKind.FOLLOW, me, other, now, active=False)
    return [RelationChanged(ended)] if ended else []


async def _meet(me: UUID, other: UUID, graph: GraphStore, *, counted: Collection[UUID]) -> None:
    """The pair and both people locked.

    Raises ``UserNotFoundError`` for somebody unknown, and between two of whom one blocks.
    """
    if me == other:
        raise NotWithOneselfError
    await graph.lock_pair(me, other)
    known = await graph.hold(counted, {me, other})
    blocked = await graph.has(RelationKind.BLOCK, me, other) or await graph.has(RelationKind.BLOCK, other, me)
    if blocked or not known:
        raise UserNotFoundError


async def _befriend(request: FriendRequest, graph: GraphStore, now: datetime) -> tuple[FriendRequest, list[GraphEvent]]:
    for each in (request.from_id, request.to_id):
        await _require_room(RelationKind.FRIEND, each, graph)
    await graph.close_request(request.request_id, "accepted", now)
    accepted = FriendRequest(
        request.request_id, request.from_id, request.to_id, request.message, "accepted", request.created_at, now
    )
    one = await graph.set(RelationKind.FRIEND, request.from_id, request.to_id, now, active=True)
    await graph.set(RelationKind.FRIEND, request.to_id, request.from_id, now, active=True)
    return accepted, [RelationChanged(one)] if one else []


async def _end_friendship(me: UUID, other: UUID, graph: GraphStore, now: datetime) -> list[GraphEvent]:
    ended = await graph.set(RelationKind.FRIEND, me, other, now, active=False)
    await graph.set(RelationKind.FRIEND, other, me, now, active=False)
    return [RelationChanged(ended)] if ended else []


async def _require_room(kind: RelationKind, user_id: UUID, graph: GraphStore) -> None:
    if await graph.count(kind, user_id) >= LIMITS[kind]:
        raise GraphLimitError
