"""The route that sends money in a dialog."""

from __future__ import annotations

from uuid import UUID

from chassis.http import RateLimit, Reply, Routes
from chassis.tokens import Principal
from kernel.rows import object_of
from messaging.adapters.transaction import MessagingTx
from messaging.cards.domain.payment import RecipientInvalidError
from messaging.cards.entrypoints.schemas.payments import SendPaymentBody
from messaging.cards.usecases.send_payment import SendPayment, send_payment
from messaging.core.domain.dialog import WRITING, SlowModeError
from messaging.core.domain.message import ClientMessageIdReusedError
from messaging.core.entrypoints.schemas.messages import SentView

routes = Routes(tag="messages")


@routes.post(
    "/v1/dialogs/{dialog_id}/payments",
    status=(202, 200),
    idempotency="none",
    rows_of_caller=False,
    limit=RateLimit("chat-payments", per_user=30, window_s=60, fails="closed"),
    errors=(*WRITING, SlowModeError, ClientMessageIdReusedError, RecipientInvalidError),
    summary="Send money to somebody in the dialog",
)
async def post_payment(
    dialog_id: UUID, body: SendPaymentBody, principal: Principal, tx: MessagingTx
) -> Reply[SentView]:
    """A message of type ``payment`` whose card is pending, then completed or refused, as payment tells."""
    facts = {"dialog_id": dialog_id, "sender_id": principal.user_id, "amount": body.amount.to_money()}
    command = object_of(SendPayment, body.model_dump(), **facts)
    sent = await send_payment(command, tx)
    view = SentView.of_fields(sent, dialog_id=dialog_id, client_message_id=body.client_message_id)
    location = f"/v1/dialogs/{dialog_id}/messages/{sent.seq}"
    return Reply(view, status=200 if sent.replayed else 202, location=location)
