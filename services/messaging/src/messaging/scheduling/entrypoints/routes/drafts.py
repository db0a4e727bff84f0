"""Routes of drafts and scheduled messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Moment, Routes, Text, View
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.dialog import (
    BlockedError,
    DialogClosedError,
    DialogNotFoundError,
    MutedError,
    NotAllowedError,
)
from messaging.core.domain.message import TEXT_CHARS_MAX, ClientMessageIdReusedError, ScheduledNotFoundError
from messaging.core.entrypoints.schemas.messages import SendMessageBody, Seq
from messaging.core.usecases.hold_access import hold_access
from messaging.scheduling.usecases.drafts import KeepDraft, drafts_of, keep_draft
from messaging.scheduling.usecases.scheduled_messages import (
    Scheduled,
    ScheduleTimeInvalidError,
    TooManyScheduledError,
    cancel_scheduled,
    list_scheduled,
    schedule,
)
from messaging.wiring import App

routes = Routes(tag="drafts")


class DraftBody(Body):
    """An empty text throws the draft away."""

    text: Annotated[Text, Field(max_length=TEXT_CHARS_MAX)]
    reply_to_seq: Seq | None = None


class DraftView(View):
    dialog_id: UUID
    text: str
    reply_to_seq: int | None
    version: int
    updated_at: datetime


class DraftsView(View):
    items: list[DraftView]


class DraftVersionView(View):
    """Greater than that of any draft before in this dialog, those thrown away too; 0 when there never was one."""

    version: int


class ScheduleBody(Body):
    """``message`` as it would be sent now; its ``client_message_id`` is the id of the scheduled message."""

    dialog_id: UUID
    send_at: Moment
    message: SendMessageBody


class ScheduledView(View):
    scheduled_id: UUID
    dialog_id: UUID
    send_at: datetime
    message: dict[str, Any] | None
    status: str
    failure_code: str
    seq: int | None
    created_at: datetime

    @classmethod
    def of(cls, kept: Scheduled) -> ScheduledView:
        return cls(
            scheduled_id=kept.scheduled_id,
            dialog_id=kept.dialog_id,
            send_at=kept.send_at,
            message=dict(kept.body) if kept.body is not None else None,
            status=kept.status,
            failure_code=kept.failure_code,
            seq=kept.seq,
            created_at=kept.created_at,
        )


class ScheduledListView(View):
    items: list[ScheduledView]


@routes.put(
    "/v1/dialogs/{dialog_id}/draft", rows_of_caller=False, errors=(DialogNotFoundError,), summary="Keep a draft"
)
async def put_draft(dialog_id: UUID, body: DraftBody, principal: Principal, tx: MessagingTx) -> DraftVersionView:
    command = KeepDraft(dialog_id=dialog_id, user_id=principal.user_id, text=body.text, reply_to_seq=body.reply_to_seq)
    return DraftVersionView(version=await keep_draft(command, tx))


@routes.get("/v1/dialogs/drafts", summary="List your drafts")
async def get_drafts(principal: Principal, app: App) -> DraftsView:
    async with app.database.read(user_id=principal.user_id) as conn:
        found = await drafts_of(conn, app.keys, principal.user_id)
    return DraftsView(
        items=[
            DraftView(
                dialog_id=each.dialog_id,
                text=each.text,
                reply_to_seq=each.reply_to_seq,
                version=each.version,
                updated_at=each.updated_at,
            )
            for each in found
        ]
    )


@routes.post(
    "/v1/scheduled-messages",
    status=201,
    idempotency="none",
    rows_of_caller=False,
    errors=(
        DialogNotFoundError,
        DialogClosedError,
        NotAllowedError,
        MutedError,
        BlockedError,
        ScheduleTimeInvalidError,
        TooManyScheduledError,
        ScheduledNotFoundError,
        ClientMessageIdReusedError,
    ),
    summary="Send a message later",
)
async def post_scheduled(body: ScheduleBody, principal: Principal, tx: MessagingTx) -> ScheduledView:
    """The same again answers what is kept; something else under the same ``client_message_id`` is a conflict."""
    command = body.message.to_command(body.dialog_id, principal.user_id)
    await hold_access(principal.user_id, principal.access_epoch, tx)
    said = body.message.model_dump(mode="json", exclude_none=True)
    kept = await schedule(command, body.send_at, said, tx)
    return ScheduledView.of(kept)


@routes.get("/v1/scheduled-messages", summary="List what you scheduled")
async def get_scheduled(principal: Principal, app: App) -> ScheduledListView:
    async with app.database.read(user_id=principal.user_id) as conn:
        found = await list_scheduled(conn, app.keys, principal.user_id)
    return ScheduledListView(items=[ScheduledView.of(each) for each in found])


@routes.delete(
    "/v1/scheduled-messages/{scheduled_id}", errors=(ScheduledNotFoundError,), summary="Do not send it after all"
)
async def delete_scheduled(scheduled_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await cancel_scheduled(scheduled_id, principal.user_id, tx)
