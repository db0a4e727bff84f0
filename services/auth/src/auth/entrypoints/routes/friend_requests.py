"""Friend requests: sent, listed, accepted, declined, taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from auth.adapters.friend_request_reads import waiting_requests
from auth.adapters.transaction import AuthTx
from auth.domain.friend_request import (
    AlreadyAskedError,
    AlreadyFriendsError,
    FriendRequestNotFoundError,
    FriendRequestStatus,
)
from auth.domain.ids import FriendRequestId, UserId
from auth.domain.relation import GraphLimitError, NotWithOneselfError
from auth.domain.user import UserNotFoundError
from auth.entrypoints.routes import CHANGING
from auth.entrypoints.schemas.friend_requests import FriendRequestBody, FriendRequestsQuery, FriendRequestView
from auth.usecases.decide_friend_request import DecideFriendRequest, decide_friend_request
from auth.usecases.send_friend_request import SendFriendRequest, send_friend_request
from auth.wiring import App
from chassis.http import Keyset, Page, RateLimit, Reply, Routes
from chassis.tokens import Principal

routes = Routes(tag="people")

_ASKING: Final = RateLimit("friend-requests", per_user=60, window_s=3600, fails="open")
_NOT_FOUND: Final = (FriendRequestNotFoundError,)
_ORDER: Final = Keyset("friend-requests", (datetime, UUID))
changes = routes.sharing(limit=CHANGING, rows_of_caller=False, idempotency="none")


@changes.post(
    "/v1/friend-requests",
    status=201,
    limit=_ASKING,
    errors=(UserNotFoundError, NotWithOneselfError, GraphLimitError, AlreadyAskedError, AlreadyFriendsError),
    summary="Ask somebody to be friends",
)
async def post_request(body: FriendRequestBody, principal: Principal, tx: AuthTx) -> Reply[FriendRequestView]:
    command = SendFriendRequest(user_id=UserId(principal.user_id), other_id=UserId(body.user_id), message=body.message)
    request = await send_friend_request(command, tx)
    return Reply(FriendRequestView.of_fields(request), status=201, location=f"/v1/friend-requests/{request.request_id}")


@routes.get("/v1/friend-requests", summary="List requests that wait")
async def get_requests(query: FriendRequestsQuery, principal: Principal, app: App) -> Page[FriendRequestView]:
    order = _ORDER.of(query.direction)
    before = order.position(app.cursors, query.cursor)
    incoming = query.direction == "incoming"
    async with app.database.read() as conn:
        found = await waiting_requests(
            conn, UserId(principal.user_id), incoming=incoming, before=before, limit=query.limit + 1
        )
    return order.page(
        app.cursors,
        found,
        query.limit,
        view=FriendRequestView.of_fields,
        position=lambda last: (last.created_at, last.request_id),
    )


@changes.post(
    "/v1/friend-requests/{request_id}/accept",
    errors=(*_NOT_FOUND, GraphLimitError),
    summary="Accept a request",
)
async def post_accept(request_id: UUID, principal: Principal, tx: AuthTx) -> FriendRequestView:
    return await _decide(request_id, FriendRequestStatus.ACCEPTED, principal, tx)


@changes.post("/v1/friend-requests/{request_id}/decline", errors=_NOT_FOUND, summary="Decline a request")
async def post_decline(request_id: UUID, principal: Principal, tx: AuthTx) -> FriendRequestView:
    return await _decide(request_id, FriendRequestStatus.DECLINED, principal, tx)


@changes.delete("/v1/friend-requests/{request_id}", errors=_NOT_FOUND, summary="Take a request of yours back")
async def delete_request(request_id: UUID, principal: Principal, tx: AuthTx) -> None:
    await _decide(request_id, FriendRequestStatus.CANCELLED, principal, tx)


async def _decide(request_id: UUID, status: FriendRequestStatus, principal: Principal, tx: AuthTx) -> FriendRequestView:
    command = DecideFriendRequest(
        user_id=UserId(principal.user_id), request_id=FriendRequestId(request_id), status=status
    )
    return FriendRequestView.of_fields(await decide_friend_request(command, tx))
