"""Ask somebody to be friends; two who ask each other are friends."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.friend_request import AlreadyAskedError, AlreadyFriendsError, FriendRequest, FriendRequestSent
from auth.domain.ids import FriendRequestId, UserId
from auth.domain.relation import RelationKind, require_room
from auth.usecases.approach_person import ApproachPerson, approach_person
from auth.usecases.befriend_person import BefriendPerson, befriend_person
from auth.usecases.ports import Tx
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFriendRequest:
    user_id: UserId
    other_id: UserId
    message: str


async def send_friend_request(command: SendFriendRequest, tx: Tx) -> FriendRequest:
    """Raises what ``approach_person`` raises, ``AlreadyAskedError``, ``AlreadyFriendsError`` or ``GraphLimitError``."""
    me, other = command.user_id, command.other_id
    await approach_person(ApproachPerson(user_id=me, other_id=other, counted=frozenset({me, other})), tx)
    if await tx.relations.has(RelationKind.FRIEND, me, other):
        raise AlreadyFriendsError
    waiting = await tx.friend_requests.find_waiting(me, other)
    if waiting is not None and waiting.from_id == me:
        raise AlreadyAskedError(context={"request_id": str(waiting.request_id)})
    if waiting is not None:
        return await befriend_person(BefriendPerson(request=waiting), tx)
    require_room(RelationKind.FRIEND, await tx.relations.count(RelationKind.FRIEND, me))
    request = FriendRequest(
        request_id=FriendRequestId(uuid7()), from_id=me, to_id=other, message=command.message, created_at=tx.now
    )
    await tx.friend_requests.add(request)
    tx.events.add(FriendRequestSent(request))
    return request
