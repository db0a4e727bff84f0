"""Accept, decline or cancel a friend request. To decide twice in the same way changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import friend_request
from auth.domain.friend_request import FriendRequest, FriendRequestNotFoundError, FriendRequestStatus
from auth.domain.ids import FriendRequestId, UserId
from auth.usecases.befriend_person import BefriendPerson, befriend_person
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideFriendRequest:
    user_id: UserId
    request_id: FriendRequestId
    status: FriendRequestStatus


async def decide_friend_request(command: DecideFriendRequest, tx: Tx) -> FriendRequest:
    """Raises ``FriendRequestNotFoundError``, also for one that is not this person's to decide; ``GraphLimitError``."""
    found = await tx.friend_requests.find(command.request_id)
    if found is None or not friend_request.decides(command.user_id, command.status, found):
        raise FriendRequestNotFoundError
    await tx.relations.lock_pair(found.from_id, found.to_id)
    request = await tx.friend_requests.find(command.request_id)
    if request is not None and request.status == command.status:
        return request
    if request is None or request.status is not FriendRequestStatus.PENDING:
        raise FriendRequestNotFoundError
    if command.status is FriendRequestStatus.ACCEPTED:
        if not await tx.relations.lock_people({request.from_id, request.to_id}, ()):
            raise FriendRequestNotFoundError
        return await befriend_person(BefriendPerson(request=request), tx)
    closed, fact = friend_request.close(request, command.status, tx.now)
    await tx.friend_requests.save(closed)
    tx.events.add(fact)
    return closed
