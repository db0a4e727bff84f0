"""Routes of the notification service: a person's own notifications, newest first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.http import Page, PageQuery, Routes, roles
from chassis.tokens import Principal
from notification.adapters import notification_reads
from notification.adapters.delivery_store import PgRecipientStore
from notification.domain.recipient import DEFAULT_LANGUAGE
from notification.entrypoints.schemas.notifications import (
    FailedDeliveryView,
    MarkedReadView,
    MarkReadBody,
    NotificationsQuery,
    NotificationView,
    UnreadCountView,
)
from notification.usecases.mark_read import MarkRead, mark_read
from notification.usecases.ports import NotificationTx
from notification.wiring import App

routes = Routes(tag="notifications")
CURSOR_SCOPE, DELIVERIES_SCOPE = "notifications", "deliveries"
OPS = roles("ops", "admin")


@routes.get("/v1/notifications", summary="List your notifications, newest first")
async def get_notifications(app: App, principal: Principal, query: NotificationsQuery) -> Page[NotificationView]:
    before = None
    if query.cursor:
        created_at, notification_id = app.cursors.decode(query.cursor, scope=CURSOR_SCOPE)
        before = datetime.fromisoformat(created_at), UUID(notification_id)
    async with app.database.read(user_id=principal.user_id) as conn:
        found = await notification_reads.list_notifications(
            conn, principal.user_id, before=before, unread_only=query.unread, limit=query.limit
        )
        known = await PgRecipientStore(conn).get_many([principal.user_id])
    recipient = known.get(principal.user_id)
    language, name = (recipient.language, recipient.display_name) if recipient else (DEFAULT_LANGUAGE, "")
    shown = found[: query.limit]
    items = [
        NotificationView.of(each, app.templates.shown(each.notification_type, language, {**each.params, "name": name}))
        for each in shown
    ]
    next_cursor = None
    if len(found) > query.limit:
        last = shown[-1]
        next_cursor = app.cursors.encode((last.created_at.isoformat(), str(last.notification_id)), scope=CURSOR_SCOPE)
    return Page(items=items, next_cursor=next_cursor)


@routes.get("/v1/notifications/unread-count", summary="Count your unread notifications")
async def get_unread_count(app: App, principal: Principal) -> UnreadCountView:
    async with app.database.read(user_id=principal.user_id) as conn:
        return UnreadCountView(unread=await notification_reads.unread_count(conn, principal.user_id))


@routes.post("/v1/notifications/read", status=200, summary="Mark notifications as read")
async def post_read(app: App, principal: Principal, body: MarkReadBody, tx: NotificationTx) -> MarkedReadView:
    command = MarkRead(
        user_id=principal.user_id, now=app.clock.now(), ids=body.notification_ids or (), up_to=body.up_to
    )
    return MarkedReadView(marked=await mark_read(command, tx))


@routes.get("/v1/ops/notification/deliveries", auth=OPS, summary="Messages that could not be sent, newest first")
async def get_failed_deliveries(app: App, query: PageQuery) -> Page[FailedDeliveryView]:
    """With the reason and the attempts made; kept for thirty days."""
    before = None
    if query.cursor:
        ended_at, delivery_id = app.cursors.decode(query.cursor, scope=DELIVERIES_SCOPE)
        before = datetime.fromisoformat(ended_at), UUID(delivery_id)
    async with app.database.read() as conn:
        found = await notification_reads.failed_deliveries(conn, before=before, limit=query.limit)
    shown = found[: query.limit]
    next_cursor = None
    if len(found) > query.limit:
        last = shown[-1]
        next_cursor = app.cursors.encode(
            (last["ended_at"].isoformat(), str(last["delivery_id"])), scope=DELIVERIES_SCOPE
        )
    return Page(items=[FailedDeliveryView(**dict(row)) for row in shown], next_cursor=next_cursor)
