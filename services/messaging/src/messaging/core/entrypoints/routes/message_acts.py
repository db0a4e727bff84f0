"""Routes of acts on a message: edit, delete, react, pin, its history and its thread."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from chassis.http import Query, RateLimit, Routes
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.emoji_gateway import emoji_of
from messaging.core.adapters.message_history_reads import pins_of, revisions_of, thread_page
from messaging.core.adapters.message_page_reads import seen_message, watch_of
from messaging.core.adapters.message_reads import MessageReads
from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.dialog import WRITING, DialogClosedError, DialogNotFoundError, NotAllowedError
from messaging.core.domain.message import ContentTooLargeError, MessageNotFoundError
from messaging.core.domain.reactions import NotAnEmojiError, TooManyReactionsError
from messaging.core.entrypoints.schemas.messages import (
    EditMessageBody,
    MessagesQuery,
    MessagesView,
    MessageView,
    PinsView,
    PinView,
    RevisionsView,
    RevisionView,
)
from messaging.core.usecases.change_reaction import ChangeReaction, change_reaction
from messaging.core.usecases.delete_message_for_all import delete_message_for_all
from messaging.core.usecases.delete_message_for_self import delete_message_for_self
from messaging.core.usecases.edit_message import (
    EditMessage,
    EditWindowOverError,
    MessageChangedMeanwhileError,
    NotEditableError,
    edit_message,
)
from messaging.core.usecases.pin_message import PinMessage, TooManyPinsError, pin_message
from messaging.wiring import App

routes = Routes(tag="messages")
MESSAGE = "/v1/dialogs/{dialog_id}/messages/{seq}"
SEEN = (DialogNotFoundError, MessageNotFoundError)
TOUCHED = (*WRITING, MessageNotFoundError)
ACTS = RateLimit("message-acts", per_user=600, window_s=60, fails="open")
changes = routes.sharing(limit=ACTS, rows_of_caller=False)


class DeleteQuery(Query):
    """``all``: for everybody in the dialog. ``me``: only out of the caller's own sight."""

    whom: Literal["all", "me"] = "all"


@changes.patch(
    MESSAGE,
    errors=(*TOUCHED, NotEditableError, EditWindowOverError, MessageChangedMeanwhileError, ContentTooLargeError),
    summary="Edit a message of yours",
)
async def patch_message(
    dialog_id: UUID, seq: int, body: EditMessageBody, principal: Principal, tx: MessagingTx
) -> MessageView:
    command = EditMessage(
        dialog_id=dialog_id,
        seq=seq,
        user_id=principal.user_id,
        content=body.content.model_dump(mode="json", exclude_none=True),
        expected_version=body.version,
    )
    return MessageView.model_validate(await edit_message(command, tx))


@changes.delete(MESSAGE, errors=(*SEEN, NotAllowedError, DialogClosedError), summary="Delete a message")
async def delete_message(dialog_id: UUID, seq: int, query: DeleteQuery, principal: Principal, tx: MessagingTx) -> None:
    """For everybody one's own, whatever hinders one from writing, or another's as a moderator; for oneself any."""
    user_id = principal.user_id
    if query.whom == "all":
        await delete_message_for_all(MessageCommand(dialog_id=dialog_id, seq=seq, user_id=user_id), tx)
    else:
        await delete_message_for_self(MessageCommand(dialog_id=dialog_id, seq=seq, user_id=user_id), tx)


@changes.put(
    MESSAGE + "/reactions/{emoji}",
    errors=(*TOUCHED, NotAnEmojiError, TooManyReactionsError),
    summary="React to a message",
)
async def put_reaction(dialog_id: UUID, seq: int, emoji: str, principal: Principal, tx: MessagingTx) -> None:
    """One emoji, or one of like, love, laugh, sad, angry, wow."""
    await change_reaction(_change(dialog_id, seq, emoji, principal, added=True), tx)


@changes.delete(MESSAGE + "/reactions/{emoji}", errors=(*TOUCHED, NotAnEmojiError), summary="Take a reaction back")
async def delete_reaction(dialog_id: UUID, seq: int, emoji: str, principal: Principal, tx: MessagingTx) -> None:
    await change_reaction(_change(dialog_id, seq, emoji, principal, added=False), tx)


@changes.put(MESSAGE + "/pin", errors=(*TOUCHED, TooManyPinsError), summary="Pin a message")
async def put_pin(dialog_id: UUID, seq: int, principal: Principal, tx: MessagingTx) -> None:
    await pin_message(PinMessage(dialog_id=dialog_id, seq=seq, user_id=principal.user_id, pinned=True), tx)


@changes.delete(MESSAGE + "/pin", errors=TOUCHED, summary="Unpin a message")
async def delete_pin(dialog_id: UUID, seq: int, principal: Principal, tx: MessagingTx) -> None:
    await pin_message(PinMessage(dialog_id=dialog_id, seq=seq, user_id=principal.user_id, pinned=False), tx)


@routes.get("/v1/dialogs/{dialog_id}/pins", errors=(DialogNotFoundError,), summary="List pinned messages")
async def get_pins(dialog_id: UUID, principal: Principal, app: App) -> PinsView:
    async with app.database.read() as conn:
        watch = await watch_of(conn, principal.user_id, dialog_id)
        pins = await pins_of(conn, dialog_id, from_seq=watch.from_seq, viewer_id=principal.user_id)
        shown = await MessageReads(conn, app.keys).documents(
            [message for _, message in pins], viewer_id=principal.user_id
        )
    messages = [MessageView.model_validate(each) for each in shown]
    return PinsView(items=[PinView.of_fields(pin, message=each) for (pin, _), each in zip(pins, messages, strict=True)])


@routes.get(MESSAGE + "/revisions", errors=SEEN, summary="Look at what a message said before")
async def get_revisions(dialog_id: UUID, seq: int, principal: Principal, app: App) -> RevisionsView:
    async with app.database.read() as conn:
        await seen_message(conn, principal.user_id, dialog_id, seq)
        rows = await revisions_of(conn, app.keys, dialog_id, seq)
    return RevisionsView(items=[RevisionView.model_validate(each) for each in rows])


@routes.get(MESSAGE + "/thread", errors=SEEN, summary="Read the thread below a message, oldest first")
async def get_thread(dialog_id: UUID, seq: int, query: MessagesQuery, principal: Principal, app: App) -> MessagesView:
    """``after_seq`` goes on from there."""
    async with app.database.read() as conn:
        watch, _ = await seen_message(conn, principal.user_id, dialog_id, seq)
        after_seq = max(query.after_seq or 0, watch.from_seq - 1)
        rows = await thread_page(
            conn, dialog_id, seq, after_seq=after_seq, viewer_id=principal.user_id, limit=query.limit + 1
        )
        first = await thread_page(conn, dialog_id, seq, after_seq=seq, viewer_id=principal.user_id, limit=1)
        items = await MessageReads(conn, app.keys).documents(rows[: query.limit], viewer_id=principal.user_id)
    return MessagesView(
        items=[MessageView.model_validate(each) for each in items],
        has_before=bool(first) and first[0]["seq"] <= after_seq,
        has_after=len(rows) > query.limit,
        last_seq=watch.last_seq,
    )


def _change(dialog_id: UUID, seq: int, emoji: str, principal: Principal, *, added: bool) -> ChangeReaction:
    return ChangeReaction(dialog_id=dialog_id, seq=seq, user_id=principal.user_id, emoji=emoji_of(emoji), added=added)
