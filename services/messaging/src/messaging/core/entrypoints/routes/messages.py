"""Routes of messages: send, read, one by one and by page."""

from __future__ import annotations

from uuid import UUID

from chassis.http import Reply, Routes
from chassis.tokens import Principal
from messaging.core.adapters.message_page_reads import read_page, seen_message, watch_of
from messaging.core.adapters.message_reads import MessageReads
from messaging.core.adapters.send_limit_cache import SendsLimitedError
from messaging.core.domain.attachment import AttachmentUnusableError
from messaging.core.domain.cards import CardUnknownError
from messaging.core.domain.dialog import WRITING, DialogNotFoundError, SlowModeError
from messaging.core.domain.message import (
    ClientMessageIdReusedError,
    ContentTooLargeError,
    MentionUnknownError,
    MessageNotFoundError,
    NotForwardableError,
    ReplyTargetMissingError,
)
from messaging.core.entrypoints.schemas.messages import (
    MessagesQuery,
    MessagesView,
    MessageView,
    SendMessageBody,
    SentView,
)
from messaging.core.sending.sender import SendingBusyError
from messaging.core.usecases.submit_message import submit_message
from messaging.wiring import App

routes = Routes(tag="messages")
SEND_ERRORS = (
    *WRITING,
    SlowModeError,
    ClientMessageIdReusedError,
    ReplyTargetMissingError,
    MentionUnknownError,
    ContentTooLargeError,
    SendingBusyError,
    SendsLimitedError,
    MessageNotFoundError,
    NotForwardableError,
    CardUnknownError,
    AttachmentUnusableError,
)


@routes.post("/v1/dialogs/{dialog_id}/messages", status=(201, 200), errors=SEND_ERRORS, summary="Send a message")
async def post_message(dialog_id: UUID, body: SendMessageBody, principal: Principal, app: App) -> Reply[SentView]:
    """Durable once it is answered. A retry with the same ``client_message_id`` gets the first answer (200)."""
    sent = await submit_message(body.to_command(dialog_id, principal.user_id), app)
    view = SentView.of_fields(sent, dialog_id=dialog_id, client_message_id=body.client_message_id)
    return Reply(view, status=200 if sent.replayed else 201, location=f"/v1/dialogs/{dialog_id}/messages/{sent.seq}")


@routes.get("/v1/dialogs/{dialog_id}/messages", errors=(DialogNotFoundError,), summary="Read messages, oldest first")
async def get_messages(dialog_id: UUID, query: MessagesQuery, principal: Principal, app: App) -> MessagesView:
    """A page after, before or around a seq; without one, the latest."""
    async with app.database.read() as conn:
        watch = await watch_of(conn, principal.user_id, dialog_id)
        page = await read_page(conn, dialog_id, query, watch, principal.user_id)
        items = await MessageReads(conn, app.keys).documents(page.rows, viewer_id=principal.user_id)
    return MessagesView(
        items=[MessageView.model_validate(each) for each in items],
        has_before=page.has_before,
        has_after=page.has_after,
        last_seq=watch.last_seq,
    )


@routes.get(
    "/v1/dialogs/{dialog_id}/messages/{seq}",
    errors=(DialogNotFoundError, MessageNotFoundError),
    summary="Read one message",
)
async def get_message(dialog_id: UUID, seq: int, principal: Principal, app: App) -> MessageView:
    async with app.database.read() as conn:
        _, row = await seen_message(conn, principal.user_id, dialog_id, seq)
        [document] = await MessageReads(conn, app.keys).documents([row], viewer_id=principal.user_id)
    return MessageView.model_validate(document)
