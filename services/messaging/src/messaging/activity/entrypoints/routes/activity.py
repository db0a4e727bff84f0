"""Routes of the activity feed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Body, Moment, Page, PageQuery, Routes, View
from chassis.tokens import Principal
from messaging.activity.adapters.activity_store import ActivityStore
from messaging.activity.domain.activity import ActivityType, last_id
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.dialog_reads import people_of, unknown
from messaging.core.adapters.unreadable_reads import object_or_none
from messaging.core.entrypoints.schemas.dialogs import PersonView
from messaging.wiring import App

routes = Routes(tag="activity")
SCOPE = "activity"
IDS_MAX = 200


class ActivityQuery(PageQuery):
    unread: bool = False
    type: ActivityType | None = None


class ActivityView(View):
    """Something that concerns you. ``payload`` by type: mention ``target`` (where it was not you by name), reply
    ``thread_seq`` (where it is in a thread that you began or answered in), reaction ``emoji``, order ``order_id``,
    ``order_number``, ``status``.
    """

    activity_id: UUID
    type: str
    actor: PersonView | None
    dialog_id: UUID | None
    seq: int | None
    payload: dict[str, Any]
    created_at: datetime
    read: bool


class UnreadActivityView(View):
    """Stops counting at 1,000: show "1,000+" for it."""

    unread: int


class ReadActivityBody(Body):
    """Either ids, or everything up to a moment."""

    activity_ids: Annotated[list[UUID] | None, Field(min_length=1, max_length=IDS_MAX)] = None
    up_to: Moment | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.activity_ids is None) == (self.up_to is None):
            raise ValueError("give either activity_ids or up_to")
        return self


class MarkedView(View):
    """How many became read by this request."""

    marked: int


@routes.get("/v1/activity", summary="What concerns you, newest first")
async def get_activity(query: ActivityQuery, principal: Principal, app: App) -> Page[ActivityView]:
    """Mentions, replies, reactions, invitations, people who joined, and steps of your orders."""
    below = UUID(app.cursors.decode(query.cursor, scope=SCOPE)[0]) if query.cursor else None
    async with app.database.read(user_id=principal.user_id) as conn:
        rows = await ActivityStore(conn).page(
            principal.user_id, below=below, unread_only=query.unread, kind=query.type, limit=query.limit + 1
        )
        shown = rows[: query.limit]
        people = await people_of(conn, [row["actor_id"] for row in shown if row["actor_id"] is not None])
    cursor = app.cursors.encode((shown[-1]["activity_id"],), scope=SCOPE) if len(rows) > query.limit else None
    return Page(items=[_view(row, people) for row in shown], next_cursor=cursor)


@routes.get("/v1/activity/unread-count", summary="Count what concerns you and is unread")
async def get_unread_count(principal: Principal, app: App) -> UnreadActivityView:
    async with app.database.read(user_id=principal.user_id) as conn:
        return UnreadActivityView(unread=await ActivityStore(conn).unread(principal.user_id))


@routes.post("/v1/activity/read", status=200, summary="Mark activity as read")
async def post_read(body: ReadActivityBody, principal: Principal, tx: MessagingTx) -> MarkedView:
    """``up_to`` costs one row, however much it marks."""
    me = principal.user_id
    if body.up_to is not None:
        return MarkedView(marked=await tx.activities.mark_read_upto(me, last_id(min(body.up_to, tx.now))))
    return MarkedView(marked=await tx.activities.mark_read(me, body.activity_ids or [], tx.now))


def _view(row: Any, people: Mapping[UUID, Mapping[str, Any]]) -> ActivityView:
    actor_id = row["actor_id"]
    actor = None if actor_id is None else PersonView(**(people.get(actor_id) or unknown(actor_id)))
    fields = ("activity_id", "type", "dialog_id", "seq", "created_at", "read")
    payload = object_or_none(row["payload"], field="payload", activity_id=row["activity_id"])
    return ActivityView(actor=actor, payload=dict(payload or {}), **{name: row[name] for name in fields})
