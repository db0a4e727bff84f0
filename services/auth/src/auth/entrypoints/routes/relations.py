"""Friends, friend requests, blocks and follows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from auth.adapters.relation_store import GraphStore
from auth.domain.graph import (
    AlreadyAskedError,
    AlreadyFriendsError,
    FriendRequest,
    FriendRequestNotFoundError,
    GraphLimitError,
    NotWithOneselfError,
    RelationKind,
)
from auth.domain.user import UserNotFoundError
from auth.usecases import change_graph
from auth.wiring import App, AuthTx
from chassis.http import Body, Page, PageQuery, Query, RateLimit, Reply, Routes, Text, View
from chassis.tokens import Principal

routes = Routes(tag="people")
ASKING = RateLimit("friend-requests", per_user=60, window_s=3600, fails="open")
CHANGING = RateLimit("graph", per_user=300, window_s=60, fails="open")
MEETING = (UserNotFoundError, NotWithOneselfError, GraphLimitError)


class FriendRequestBody(Body):
    user_id: UUID
    message: Annotated[Text, Field(max_length=300)] = ""


class FriendRequestView(View):
    """``accepted`` at once when the other had asked already."""

    request_id: UUID
    from_id: UUID
    to_id: UUID
    message: str
    status: Literal["pending", "accepted", "declined", "cancelled"]
    created_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, request: FriendRequest) -> FriendRequestView:
        return cls(**{name: getattr(request, name) for name in cls.model_fields})


class FriendRequestsQuery(PageQuery):
    direction: Literal["incoming", "outgoing"] = "incoming"


class RelatedView(View):
    """As much of somebody as their card shows you."""

    user_id: UUID
    name: str
    username: str | None
    since: datetime


class SuggestionsQuery(Query):
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class SuggestionView(View):
    user_id: UUID
    name: str
    username: str | None
    mutual_friends: int


class SuggestionsView(View):
    items: list[SuggestionView]


@routes.post(
    "/v1/friend-requests",
    status=201,
    idempotency="none",
    limit=ASKING,
    rows_of_caller=False,
    errors=(*MEETING, AlreadyAskedError, AlreadyFriendsError),
    summary="Ask somebody to be friends",
)
async def post_request(body: FriendRequestBody, principal: Principal, app: App, tx: AuthTx) -> Reply[FriendRequestView]:
    request, events = await change_graph.ask(
        principal.user_id, body.user_id, body.message, tx.graph, app.tools.clock.now()
    )
    tx.events.add(*events)
    return Reply(FriendRequestView.of(request), status=201, location=f"/v1/friend-requests/{request.request_id}")


@routes.get("/v1/friend-requests", summary="List requests that wait")
async def get_requests(query: FriendRequestsQuery, principal: Principal, app: App) -> Page[FriendRequestView]:
    scope = f"friend-requests:{query.direction}"
    before = _position(app, query.cursor, scope)
    async with app.database.read() as conn:
        found = await GraphStore(conn).requests(
            principal.user_id, incoming=query.direction == "incoming", before=before, limit=query.limit + 1
        )
    shown = found[: query.limit]
    cursor = None
    if len(found) > query.limit:
        cursor = app.cursors.encode((shown[-1].created_at.isoformat(), str(shown[-1].request_id)), scope=scope)
    return Page(items=[FriendRequestView.of(each) for each in shown], next_cursor=cursor)


@routes.post(
    "/v1/friend-requests/{request_id}/accept",
    status=200,
    idempotency="none",
    limit=CHANGING,
    rows_of_caller=False,
    errors=(FriendRequestNotFoundError, GraphLimitError),
    summary="Accept a request",
)
async def post_accept(request_id: UUID, principal: Principal, app: App, tx: AuthTx) -> FriendRequestView:
    return await _decide(request_id, "accepted", principal, app, tx)


@routes.post(
    "/v1/friend-requests/{request_id}/decline",
    status=200,
    idempotency="none",
    limit=CHANGING,
    rows_of_caller=False,
    errors=(FriendRequestNotFoundError,),
    summary="Decline a request",
)
async def post_decline(request_id: UUID, principal: Principal, app: App, tx: AuthTx) -> FriendRequestView:
    return await _decide(request_id, "declined", principal, app, tx)


@routes.delete(
    "/v1/friend-requests/{request_id}",
    limit=CHANGING,
    rows_of_caller=False,
    errors=(FriendRequestNotFoundError,),
    summary="Take a request of yours back",
)
async def delete_request(request_id: UUID, principal: Principal, app: App, tx: AuthTx) -> None:
    await _decide(request_id, "cancelled", principal, app, tx)


@routes.get("/v1/users/me/friends", summary="List your friends")
async def get_friends(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.FRIEND, query, principal, app)


@routes.delete("/v1/users/me/friends/{user_id}", limit=CHANGING, rows_of_caller=False, summary="End a friendship")
async def delete_friend(user_id: UUID, principal: Principal, app: App, tx: AuthTx) -> None:
    tx.events.add(*await change_graph.unfriend(principal.user_id, user_id, tx.graph, app.tools.clock.now()))


@routes.get("/v1/users/me/friend-suggestions", summary="Friends of your friends")
async def get_suggestions(query: SuggestionsQuery, principal: Principal, app: App) -> SuggestionsView:
    async with app.database.read() as conn:
        found = await GraphStore(conn).suggestions(principal.user_id, query.limit)
    return SuggestionsView(
        items=[
            SuggestionView(user_id=card.user_id, name=card.name, username=card.username, mutual_friends=mutual)
            for card, mutual in found
        ]
    )


@routes.get("/v1/users/me/blocks", summary="List whom you block")
async def get_blocks(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.BLOCK, query, principal, app)


@routes.put(
    "/v1/users/me/blocks/{user_id}",
    status=204,
    limit=CHANGING,
    errors=MEETING,
    summary="Block somebody",
)
async def put_block(user_id: UUID, principal: Principal, app: App) -> None:
    """Ends friendship, follows and requests between you. They are not told."""
    async with app.transactions.begin() as tx:
        events, hidden = await change_graph.block(principal.user_id, user_id, tx.graph, app.tools.clock.now())
        tx.events.add(*events)
    if hidden:
        raise UserNotFoundError


@routes.delete("/v1/users/me/blocks/{user_id}", limit=CHANGING, rows_of_caller=False, summary="Unblock somebody")
async def delete_block(user_id: UUID, principal: Principal, app: App, tx: AuthTx) -> None:
    tx.events.add(*await change_graph.unblock(principal.user_id, user_id, tx.graph, app.tools.clock.now()))


@routes.get("/v1/users/me/follows", summary="List whom you follow")
async def get_follows(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.FOLLOW, query, principal, app)


@routes.get("/v1/users/me/followers", summary="List who follows you")
async def get_followers(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.FOLLOW, query, principal, app, incoming=True)


@routes.put(
    "/v1/users/me/follows/{user_id}",
    status=204,
    limit=CHANGING,
    rows_of_caller=False,
    errors=MEETING,
    summary="Follow somebody",
)
async def put_follow(user_id: UUID, principal: Principal, app: App, tx: AuthTx) -> None:
    tx.events.add(*await change_graph.follow(principal.user_id, user_id, tx.graph, app.tools.clock.now()))


@routes.delete(
    "/v1/users/me/follows/{user_id}", limit=CHANGING, rows_of_caller=False, summary="Follow somebody no longer"
)
async def delete_follow(user_id: UUID, principal: Principal, app: App, tx: AuthTx) -> None:
    tx.events.add(*await change_graph.unfollow(principal.user_id, user_id, tx.graph, app.tools.clock.now()))


async def _decide(request_id: UUID, status: str, principal: Principal, app: App, tx: AuthTx) -> FriendRequestView:
    request, events = await change_graph.decide(principal.user_id, request_id, status, tx.graph, app.tools.clock.now())
    tx.events.add(*events)
    return FriendRequestView.of(request)


async def _people(
    kind: RelationKind, query: PageQuery, principal: Principal, app: App, *, incoming: bool = False
) -> Page[RelatedView]:
    scope = f"graph:{kind}:{incoming}"
    before = _position(app, query.cursor, scope)
    async with app.database.read() as conn:
        found = await GraphStore(conn).people(
            kind, principal.user_id, incoming=incoming, before=before, limit=query.limit + 1
        )
    shown = found[: query.limit]
    cursor = None
    if len(found) > query.limit:
        card, since = shown[-1]
        cursor = app.cursors.encode((since.isoformat(), str(card.user_id)), scope=scope)
    items = [
        RelatedView(user_id=card.user_id, name=card.name, username=card.username, since=since) for card, since in shown
    ]
    return Page(items=items, next_cursor=cursor)


def _position(app: App, cursor: str | None, scope: str) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    at, last = app.cursors.decode(cursor, scope=scope)
    return datetime.fromisoformat(at), UUID(last)
