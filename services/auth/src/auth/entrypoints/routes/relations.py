"""Friends, blocks and follows."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from auth.adapters.relation_reads import related_people, suggested_friends
from auth.adapters.transaction import AuthTx
from auth.domain.ids import UserId
from auth.domain.relation import GraphLimitError, NotWithOneselfError, RelationKind
from auth.domain.user import UserNotFoundError
from auth.entrypoints.routes import CHANGING
from auth.entrypoints.schemas.relations import RelatedView, SuggestionsQuery, SuggestionsView, SuggestionView
from auth.usecases.block_person import BlockPerson, block_person
from auth.usecases.end_relation import EndRelation, end_relation
from auth.usecases.follow_person import FollowPerson, follow_person
from auth.wiring import App
from chassis.http import Keyset, Page, PageQuery, Routes
from chassis.tokens import Principal

routes = Routes(tag="people")

_ERRORS: Final = (UserNotFoundError, NotWithOneselfError, GraphLimitError)
_ORDER: Final = Keyset("graph", (datetime, UUID))
changes = routes.sharing(limit=CHANGING, rows_of_caller=False)


@routes.get("/v1/users/me/friends", summary="List your friends")
async def get_friends(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.FRIEND, query, principal, app)


@changes.delete("/v1/users/me/friends/{user_id}", summary="End a friendship")
async def delete_friend(user_id: UUID, principal: Principal, tx: AuthTx) -> None:
    await _end(RelationKind.FRIEND, user_id, principal, tx)


@routes.get("/v1/users/me/friend-suggestions", summary="Friends of your friends")
async def get_suggestions(query: SuggestionsQuery, principal: Principal, app: App) -> SuggestionsView:
    async with app.database.read() as conn:
        found = await suggested_friends(conn, UserId(principal.user_id), query.limit)
    return SuggestionsView(items=[SuggestionView.of_fields(card, mutual_friends=mutual) for card, mutual in found])


@routes.get("/v1/users/me/blocks", summary="List whom you block")
async def get_blocks(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.BLOCK, query, principal, app)


@routes.put("/v1/users/me/blocks/{user_id}", limit=CHANGING, errors=_ERRORS, summary="Block somebody")
async def put_block(user_id: UUID, principal: Principal, app: App) -> None:
    """Ends friendship, follows and requests between you. They are not told."""
    command = BlockPerson(user_id=UserId(principal.user_id), other_id=UserId(user_id))
    async with app.begin() as tx:
        hidden = await block_person(command, tx)
    if hidden:
        raise UserNotFoundError


@changes.delete("/v1/users/me/blocks/{user_id}", summary="Unblock somebody")
async def delete_block(user_id: UUID, principal: Principal, tx: AuthTx) -> None:
    await _end(RelationKind.BLOCK, user_id, principal, tx)


@routes.get("/v1/users/me/follows", summary="List whom you follow")
async def get_follows(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.FOLLOW, query, principal, app)


@routes.get("/v1/users/me/followers", summary="List who follows you")
async def get_followers(query: PageQuery, principal: Principal, app: App) -> Page[RelatedView]:
    return await _people(RelationKind.FOLLOW, query, principal, app, incoming=True)


@changes.put("/v1/users/me/follows/{user_id}", errors=_ERRORS, summary="Follow somebody")
async def put_follow(user_id: UUID, principal: Principal, tx: AuthTx) -> None:
    await follow_person(FollowPerson(user_id=UserId(principal.user_id), other_id=UserId(user_id)), tx)


@changes.delete("/v1/users/me/follows/{user_id}", summary="Follow somebody no longer")
async def delete_follow(user_id: UUID, principal: Principal, tx: AuthTx) -> None:
    await _end(RelationKind.FOLLOW, user_id, principal, tx)


async def _end(kind: RelationKind, other_id: UUID, principal: Principal, tx: AuthTx) -> None:
    command = EndRelation(kind=kind, user_id=UserId(principal.user_id), other_id=UserId(other_id))
    await end_relation(command, tx)


async def _people(
    kind: RelationKind, query: PageQuery, principal: Principal, app: App, *, incoming: bool = False
) -> Page[RelatedView]:
    order = _ORDER.of(kind, incoming)
    before = order.position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        found = await related_people(
            conn, kind, UserId(principal.user_id), incoming=incoming, before=before, limit=query.limit + 1
        )
    return order.page(
        app.cursors,
        found,
        query.limit,
        view=lambda row: RelatedView.of_fields(row[0], since=row[1]),
        position=lambda last: (last[1], last[0].user_id),
    )
