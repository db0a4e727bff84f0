"""Routes of drafts."""

from __future__ import annotations

from uuid import UUID

from chassis.http import Routes
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.scheduling.adapters.draft_store import DraftReads
from messaging.scheduling.entrypoints.schemas.drafts import DraftBody, DraftsView, DraftVersionView, DraftView
from messaging.scheduling.usecases.save_draft import SaveDraft, save_draft
from messaging.wiring import App

routes = Routes(tag="drafts")


@routes.put(
    "/v1/dialogs/{dialog_id}/draft", rows_of_caller=False, errors=(DialogNotFoundError,), summary="Keep a draft"
)
async def put_draft(dialog_id: UUID, body: DraftBody, principal: Principal, tx: MessagingTx) -> DraftVersionView:
    command = SaveDraft(dialog_id=dialog_id, user_id=principal.user_id, text=body.text, reply_to_seq=body.reply_to_seq)
    return DraftVersionView(version=await save_draft(command, tx))


@routes.get("/v1/dialogs/drafts", summary="List your drafts")
async def get_drafts(principal: Principal, app: App) -> DraftsView:
    async with app.database.read(user_id=principal.user_id) as conn:
        found = await DraftReads(conn, app.keys).of_person(principal.user_id)
    return DraftsView(items=[DraftView.of_fields(each) for each in found])
