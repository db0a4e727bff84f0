"""Routes of a dialog's settings: those all share, and the caller's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, IfMatch, Moment, Name, Query, RateLimit, ReadableText, Routes, View
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.adapters.message_page_reads import seen_by_member, seen_message
from messaging.core.adapters.receipt_reads import seen_by
from messaging.core.domain.attachment import AttachmentUnusableError
from messaging.core.domain.dialog import DialogClosedError, DialogNotFoundError, NotAllowedError
from messaging.core.domain.membership import FixedMembersError, MembersMaxError
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.entrypoints.schemas.dialogs import RoleName
from messaging.core.usecases.change_dialog import ChangeDialog, change_dialog
from messaging.core.usecases.change_own_settings import ChangeOwnSettings, change_own_settings
from messaging.core.usecases.close_dialog import CloseDialog, close_dialog
from messaging.wiring import App

routes = Routes(tag="dialogs")
LIMIT = RateLimit("dialog-settings", per_user=300, window_s=60, fails="open")
ERRORS = (DialogNotFoundError, NotAllowedError, DialogClosedError, FixedMembersError)
ActName = Literal[
    "send",
    "send_media",
    "react",
    "poll",
    "mention_all",
    "pin",
    "invite",
    "change_info",
    "delete_others",
    "manage_members",
    "manage_roles",
]
assert set(ActName.__args__) == {each.value for each in Act}  # type: ignore[attr-defined]  # noqa: S101
changes = routes.sharing(limit=LIMIT, rows_of_caller=False)


class ChangeDialogBody(Body):
    """What is left out stays. ``permissions`` replaces all: role → its whole list of acts; {} is the usual one.

    Only ``avatar_attachment_id`` and ``retention_days`` can be null: no picture, and kept for good.
    """

    title: Annotated[Name, Field(max_length=120)] = ""
    description: Annotated[ReadableText, Field(max_length=1000)] = ""
    avatar_attachment_id: UUID | None = None
    is_public: bool = False
    history_from: Literal["start", "join"] = "start"
    join_approval: bool = False
    slow_mode_s: Annotated[int, Field(ge=0, le=86400)] = 0
    members_max: Annotated[int, Field(ge=2, le=200_000)] = 1_000
    retention_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    content_published: bool = False
    permissions: Annotated[dict[RoleName, Annotated[list[ActName], Field(max_length=20)]], Field(default_factory=dict)]


class OwnSettingsBody(Body):
    """What is left out stays. ``silent_until`` null makes it loud again."""

    pinned: bool | None = None
    archived: bool | None = None
    silent_until: Moment | None = None
    notification_level: Literal["all", "mentions", "none"] | None = None


class SeenByQuery(Query):
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class SeenView(View):
    """``read_at``: when they read up to here or further; None when they do not tell."""

    user_id: UUID
    display_name: str
    read_at: datetime | None


class SeenByView(View):
    """Derived from cursors. Only who tells how far they read is named and counted as a reader, and no one whom a block
    parts from the caller.
    """

    read_count: int
    delivered_count: int
    people: list[SeenView]


@changes.patch(
    "/v1/dialogs/{dialog_id}",
    errors=(*ERRORS, MembersMaxError, AttachmentUnusableError),
    summary="Change a dialog's shared settings",
)
async def patch_dialog(
    dialog_id: UUID, body: ChangeDialogBody, principal: Principal, tx: MessagingTx, if_match: IfMatch
) -> None:
    """``If-Match``: the version that was looked at, as GET gives it in ``ETag``."""
    command = ChangeDialog(dialog_id=dialog_id, by=principal.user_id, changes=body.model_dump(exclude_unset=True))
    await change_dialog(command, tx, require_version=if_match.check)


@changes.post("/v1/dialogs/{dialog_id}/close", errors=ERRORS, summary="Close a dialog: it can be read, not written")
async def post_close(dialog_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await close_dialog(CloseDialog(dialog_id=dialog_id, by=principal.user_id, closed=True), tx)


@changes.post("/v1/dialogs/{dialog_id}/reopen", errors=ERRORS, summary="Open a closed dialog again")
async def post_reopen(dialog_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await close_dialog(CloseDialog(dialog_id=dialog_id, by=principal.user_id, closed=False), tx)


@changes.patch(
    "/v1/dialogs/{dialog_id}/settings", errors=(DialogNotFoundError,), summary="Change your own settings of a dialog"
)
async def patch_settings(dialog_id: UUID, body: OwnSettingsBody, principal: Principal, tx: MessagingTx) -> None:
    """Pinned and archived are in your list only; silence and level are about notifications."""
    command = ChangeOwnSettings(
        dialog_id=dialog_id, user_id=principal.user_id, given=body.model_dump(exclude_unset=True)
    )
    await change_own_settings(command, tx)


@routes.get(
    "/v1/dialogs/{dialog_id}/messages/{seq}/seen-by",
    errors=(DialogNotFoundError, MessageNotFoundError),
    summary="Who has read a message",
)
async def get_seen_by(dialog_id: UUID, seq: int, query: SeenByQuery, principal: Principal, app: App) -> SeenByView:
    async with app.database.read() as conn:
        await seen_by_member(conn, dialog_id, principal.user_id)
        _, message = await seen_message(conn, principal.user_id, dialog_id, seq)
        if message["deleted_at"] is not None:
            raise MessageNotFoundError
        found = await seen_by(conn, dialog_id, seq, viewer_id=principal.user_id, limit=query.limit)
    return SeenByView.of_fields(found, people=[SeenView(**each) for each in found.people])
