"""Routes of legal holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from chassis.http import Routes, roles
from chassis.tokens import Principal
from messaging.lifecycle.domain.hold import NoSuchDialogError
from messaging.lifecycle.entrypoints.schemas.legal_holds import LegalHoldView, WhyQuery
from messaging.lifecycle.usecases.hold_dialog import hold_dialog
from messaging.wiring import NAME, App
from operations.acts import DONE, UNCHANGED, Act, by_person, record, record_refusal

HOLD: Final = "/v1/ops/messaging/dialogs/{dialog_id}/legal-hold"
OPS: Final = roles("ops", "admin")

routes = Routes(tag="operators", auth=OPS)


@routes.put(HOLD, errors=(NoSuchDialogError,), summary="Put a dialog under legal hold")
async def put_legal_hold(dialog_id: UUID, query: WhyQuery, principal: Principal, app: App) -> LegalHoldView:
    """Nothing written in it is destroyed while it holds; nobody in the dialog is told."""
    act = by_person("legal_hold.put", NAME, principal, reason=query.reason, dialog_id=dialog_id)
    return await record_hold(app, dialog_id, act, held=True)


@routes.delete(HOLD, errors=(NoSuchDialogError,), summary="Lift a legal hold")
async def delete_legal_hold(dialog_id: UUID, query: WhyQuery, principal: Principal, app: App) -> LegalHoldView:
    """What only the hold kept is destroyed."""
    act = by_person("legal_hold.lift", NAME, principal, reason=query.reason, dialog_id=dialog_id)
    return await record_hold(app, dialog_id, act, held=False)


async def record_hold(app: App, dialog_id: UUID, act: Act, *, held: bool) -> LegalHoldView:
    """Hold or lift, with the act recorded in the same transaction, and a refusal recorded alone."""
    try:
        async with app.begin() as tx:
            changed = await hold_dialog(dialog_id, tx, held=held)
            before = {"held": held if not changed else not held}
            record(replace(act, before=before, after={"held": held}, outcome=DONE if changed else UNCHANGED), tx)
    except NoSuchDialogError as refusal:
        await record_refusal(act, refusal, app)
        raise
    return LegalHoldView(dialog_id=dialog_id, held=held, changed=changed)
