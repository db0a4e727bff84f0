"""A person's own notifications, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.http import Keyset, Page, Routes
from chassis.tokens import Principal
from notification.adapters.notification_reads import list_notifications, unread_count
from notification.adapters.recipient_store import RecipientStore
from notification.domain.ids import NotificationId, UserId
from notification.domain.notification import Notification
from notification.domain.recipient import unknown_recipient
from notification.entrypoints.schemas.notifications import (
    MarkedReadView,
    MarkReadBody,
    NotificationsQuery,
    NotificationView,
    UnreadCountView,
)
from notification.usecases.mark_read import MarkRead, mark_read
from notification.usecases.ports import Tx
from notification.wiring import App

routes = Routes(tag="notifications")
NEWEST_FIRST: Final = Keyset("notifications", (datetime, UUID))


@routes.get("/v1/notifications", summary="List your notifications, newest first")
async def get_notifications(app: App, principal: Principal, query: NotificationsQuery) -> Page[NotificationView]:
    user_id, before = UserId(principal.user_id), NEWEST_FIRST.position(app.cursors, query.cursor)
    async with app.database.read(user_id=user_id) as conn:
        found = await list_notifications(conn, user_id, before=before, unread_only=query.unread, limit=query.limit + 1)
        known = await RecipientStore(conn).get_many([user_id])
    reader = known.get(user_id, unknown_recipient(user_id))

    def view(each: Notification) -> NotificationView:
        params = {**each.params, "name": reader.display_name}
        return NotificationView.of(
            each, app.templates.render_or_placeholder(each.notification_type, reader.language, params)
        )

    return NEWEST_FIRST.page(
        app.cursors, found, query.limit, view=view, position=lambda each: (each.created_at, each.notification_id)
    )


@routes.get("/v1/notifications/unread-count", summary="Count your unread notifications")
async def get_unread_count(app: App, principal: Principal) -> UnreadCountView:
    async with app.database.read(user_id=principal.user_id) as conn:
        return UnreadCountView(unread=await unread_count(conn, UserId(principal.user_id)))


@routes.post("/v1/notifications/read", summary="Mark notifications as read")
async def post_read(principal: Principal, body: MarkReadBody, tx: Tx) -> MarkedReadView:
    ids = [NotificationId(each) for each in body.notification_ids or ()]
    command = MarkRead(user_id=UserId(principal.user_id), ids=ids, up_to=body.up_to)
    return MarkedReadView(marked=await mark_read(command, tx))
