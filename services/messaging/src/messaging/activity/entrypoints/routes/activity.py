"""Routes of the activity feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.http import Keyset, Page, Routes
from chassis.tokens import Principal
from messaging.activity.adapters.activity_store import ActivityStore
from messaging.activity.domain.activity import last_id
from messaging.activity.entrypoints.schemas.activity import (
    ActivityQuery,
    ActivityView,
    MarkedView,
    ReadActivityBody,
    UnreadActivityView,
)
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.dialog_reads import people_of, unknown
from messaging.core.adapters.unreadable_reads import object_or_none
from messaging.core.entrypoints.schemas.dialogs import PersonView
from messaging.wiring import App

routes = Routes(tag="activity")
KEYSET = Keyset("activity", (UUID,))


@routes.get("/v1/activity", summary="What concerns you, newest first")
async def get_activity(query: ActivityQuery, principal: Principal, app: App) -> Page[ActivityView]:
    """Mentions, replies, reactions, invitations, people who joined, and steps of your orders."""
    position = KEYSET.position(app.cursors, query.cursor)
    async with app.database.read(user_id=principal.user_id) as conn:
        rows = await ActivityStore(conn).page(
            principal.user_id,
            below=position[0] if position else None,
            unread_only=query.unread,
            kind=query.type,
            limit=query.limit + 1,
        )
        people = await people_of(conn, [row["actor_id"] for row in rows if row["actor_id"] is not None])
    return KEYSET.page(
        app.cursors, rows, query.limit, view=lambda row: _view(row, people), position=lambda row: (row["activity_id"],)
    )


@routes.get("/v1/activity/unread-count", summary="Count what concerns you and is unread")
async def get_unread_count(principal: Principal, app: App) -> UnreadActivityView:
    async with app.database.read(user_id=principal.user_id) as conn:
        return UnreadActivityView(unread=await ActivityStore(conn).unread(principal.user_id))


@routes.post("/v1/activity/read", summary="Mark activity as read")
async def post_read(body: ReadActivityBody, principal: Principal, tx: MessagingTx) -> MarkedView:
    """``up_to`` costs one row, however much it marks."""
    me = principal.user_id
    if body.up_to is not None:
        return MarkedView(marked=await tx.activities.mark_read_upto(me, last_id(min(body.up_to, tx.now))))
    return MarkedView(marked=await tx.activities.mark_read(me, body.activity_ids or [], tx.now))


def _view(row: Any, people: Mapping[UUID, Mapping[str, Any]]) -> ActivityView:
    actor_id = row["actor_id"]
    actor = None if actor_id is None else PersonView(**(people.get(actor_id) or unknown(actor_id)))
    payload = object_or_none(row["payload"], field="payload", activity_id=row["activity_id"])
    return ActivityView.of_fields(row, actor=actor, payload=dict(payload or {}))
