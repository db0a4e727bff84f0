"""Routes of read cursors and counts."""

from __future__ import annotations

from uuid import UUID

from chassis.http import Routes, View
from chassis.tokens import Principal
from messaging.core.adapters.unread_reads import unread_of, unread_total
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.entrypoints.schemas.messages import ReadCursorBody, UnreadView
from messaging.core.usecases.move_cursor import MoveCursor, move_cursor
from messaging.wiring import App

routes = Routes(tag="dialogs")


class UnreadTotalView(View):
    """Over all dialogs that are not archived."""

    unread: int
    mentions: int
    dialogs: int


@routes.put("/v1/dialogs/{dialog_id}/read-cursor", errors=(DialogNotFoundError,), summary="Say how far you have read")
async def put_read_cursor(dialog_id: UUID, body: ReadCursorBody, principal: Principal, app: App) -> UnreadView:
    """Moves only forward. ``marked_unread`` is a mark of your own that reading further takes away."""
    command = MoveCursor(
        dialog_id=dialog_id,
        user_id=principal.user_id,
        delivered_seq=body.delivered_seq or 0,
        read_seq=body.read_seq or 0,
        marked_unread=body.marked_unread,
    )
    async with app.begin() as tx:
        await move_cursor(command, tx)
    async with app.database.read() as conn:
        row = await unread_of(conn, dialog_id, principal.user_id)
    if row is None:
        raise DialogNotFoundError
    return UnreadView(dialog_id=dialog_id, **dict(row))


@routes.get("/v1/dialogs/unread-count", summary="Count what is unread over all your dialogs")
async def get_unread_total(principal: Principal, app: App) -> UnreadTotalView:
    async with app.database.read() as conn:
        return UnreadTotalView(**dict(await unread_total(conn, principal.user_id)))
