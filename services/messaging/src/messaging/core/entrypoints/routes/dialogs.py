"""Routes of dialogs: open, list, look at one."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.http import Keyset, Page, RateLimit, Reply, Routes, etag_of
from chassis.postgres import Connection
from chassis.tokens import Principal
from kernel.rows import object_of
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.dialog_reads import dialog_documents, dialogs_by_id, dialogs_page
from messaging.core.domain.dialog import (
    BlockedError,
    DialogClosedError,
    DialogKind,
    DialogNotFoundError,
    PeopleUnknownError,
)
from messaging.core.domain.membership import BannedError, DialogFullError
from messaging.core.entrypoints.schemas.dialogs import DialogsQuery, DialogView
from messaging.core.entrypoints.schemas.messages import CreateDialogBody
from messaging.core.usecases.create_dialog import (
    CreateDialog,
    PairUntitledError,
    PeopleMissingError,
    ShopUnknownError,
    create_dialog,
)
from messaging.core.usecases.discuss_product import ApprovalNeededError, DiscussProduct, discuss_product
from messaging.core.usecases.reach_product import TopicUnknownError
from messaging.wiring import App

routes = Routes(tag="dialogs")
LATEST_FIRST: Final = Keyset("dialogs", (datetime, UUID))


@routes.post(
    "/v1/dialogs",
    status=(201, 200),
    rows_of_caller=False,
    limit=RateLimit("dialogs", per_user=120, window_s=60, fails="open"),
    errors=(
        PeopleMissingError,
        PeopleUnknownError,
        PairUntitledError,
        ShopUnknownError,
        TopicUnknownError,
        ApprovalNeededError,
        BlockedError,
        BannedError,
        DialogFullError,
        DialogClosedError,
        DialogNotFoundError,
    ),
    summary="Open a dialog",
)
async def post_dialog(body: CreateDialogBody, principal: Principal, app: App, tx: MessagingTx) -> Reply[DialogView]:
    """A dialog that there is only one of is answered with 200 when it is there already."""
    if body.kind == "topic":
        topic = DiscussProduct(product_id=body.product_id or UUID(int=0), user_id=principal.user_id)
        dialog_id, created = await discuss_product(topic, tx)
    else:
        kind, others = DialogKind(body.kind), tuple(body.user_ids)
        command = object_of(CreateDialog, body.model_dump(), kind=kind, created_by=principal.user_id, user_ids=others)
        dialog_id, created = await create_dialog(command, tx)
    await tx.flush()
    view = await _view(tx.conn, app, principal.user_id, dialog_id)
    return Reply(view, status=201 if created else 200, location=f"/v1/dialogs/{dialog_id}")


@routes.get("/v1/dialogs", summary="List your dialogs, the latest first")
async def get_dialogs(query: DialogsQuery, principal: Principal, app: App) -> Page[DialogView]:
    order = LATEST_FIRST.of(query.archived, query.kind)
    async with app.database.read() as conn:
        rows = await dialogs_page(
            conn,
            principal.user_id,
            archived=query.archived,
            kind=query.kind,
            before=order.position(app.cursors, query.cursor),
            limit=query.limit + 1,
        )
        shown = await dialog_documents(conn, app.keys, principal.user_id, rows[: query.limit])
    views = {each["dialog_id"]: DialogView.of(each) for each in shown}
    return order.page(
        app.cursors,
        rows,
        query.limit,
        view=lambda row: views[row["dialog_id"]],
        position=lambda row: (row["last_at"], row["dialog_id"]),
    )


@routes.get("/v1/dialogs/{dialog_id}", errors=(DialogNotFoundError,), summary="Look at a dialog of yours")
async def get_dialog(dialog_id: UUID, principal: Principal, app: App) -> Reply[DialogView]:
    async with app.database.read() as conn:
        view = await _view(conn, app, principal.user_id, dialog_id)
    return Reply(view, etag=etag_of(view.version))


async def _view(conn: Connection, app: App, user_id: UUID, dialog_id: UUID) -> DialogView:
    rows = await dialogs_by_id(conn, user_id, [dialog_id])
    if not rows:
        raise DialogNotFoundError
    [document] = await dialog_documents(conn, app.keys, user_id, rows)
    return DialogView.of(document)
