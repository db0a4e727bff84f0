"""Make friends of the two between whom a request waits; both are locked."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import friend_request
from auth.domain.friend_request import FriendRequest
from auth.domain.relation import RelationChanged, RelationKind, require_room
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class BefriendPerson:
    request: FriendRequest


async def befriend_person(command: BefriendPerson, tx: Tx) -> FriendRequest:
    """The accepted request. Raises ``GraphLimitError`` when either has as many friends as one can have."""
    asker, asked = command.request.from_id, command.request.to_id
    for each in (asker, asked):
        require_room(RelationKind.FRIEND, await tx.relations.count(RelationKind.FRIEND, each))
    now = tx.now
    accepted = friend_request.accept(command.request, now)
    await tx.friend_requests.save(accepted)
    begun = await tx.relations.set(RelationKind.FRIEND, asker, asked, now, active=True)
    if begun:
        tx.events.add(RelationChanged(begun))
    return accepted
