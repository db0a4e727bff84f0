"""Routes of scheduled messages."""

from __future__ import annotations

from uuid import UUID

from chassis.http import Routes
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.dialog import WRITING
from messaging.core.domain.message import ClientMessageIdReusedError, ScheduledNotFoundError
from messaging.core.usecases.hold_access import hold_access
from messaging.scheduling.adapters.scheduled_store import ScheduledReads
from messaging.scheduling.domain.scheduled import ScheduleTimeInvalidError, TooManyScheduledError
from messaging.scheduling.entrypoints.schemas.scheduled_messages import ScheduleBody, ScheduledListView, ScheduledView
from messaging.scheduling.usecases.cancel_scheduled import cancel_scheduled
from messaging.scheduling.usecases.schedule_message import ScheduleMessage, schedule_message
from messaging.wiring import App

routes = Routes(tag="drafts")


@routes.post(
    "/v1/scheduled-messages",
    status=201,
    idempotency="none",
    rows_of_caller=False,
    errors=(
        *WRITING,
        ScheduleTimeInvalidError,
        TooManyScheduledError,
        ScheduledNotFoundError,
        ClientMessageIdReusedError,
    ),
    summary="Send a message later",
)
async def post_scheduled(body: ScheduleBody, principal: Principal, tx: MessagingTx) -> ScheduledView:
    """The same again answers what is kept; something else under the same ``client_message_id`` is a conflict."""
    message = body.message.to_command(body.dialog_id, principal.user_id)
    await hold_access(principal.user_id, principal.access_epoch, tx)
    said = body.message.model_dump(mode="json", exclude_none=True)
    command = ScheduleMessage(message=message, send_at=body.send_at, body=said)
    return ScheduledView.of(await schedule_message(command, tx))


@routes.get("/v1/scheduled-messages", summary="List what you scheduled")
async def get_scheduled(principal: Principal, app: App) -> ScheduledListView:
    async with app.database.read(user_id=principal.user_id) as conn:
        found = await ScheduledReads(conn, app.keys).of_person(principal.user_id)
    return ScheduledListView(items=[ScheduledView.of(each) for each in found])


@routes.delete(
    "/v1/scheduled-messages/{scheduled_id}", errors=(ScheduledNotFoundError,), summary="Do not send it after all"
)
async def delete_scheduled(scheduled_id: UUID, principal: Principal, tx: MessagingTx) -> None:
    await cancel_scheduled(scheduled_id, principal.user_id, tx)
