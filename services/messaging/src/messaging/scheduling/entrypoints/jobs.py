"""Scheduled messages are sent when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from chassis.run import Periodic, Runner
from messaging.core.domain.message import Sent
from messaging.core.entrypoints.schemas.messages import SendMessageBody
from messaging.core.usecases.submit_message import submit_message
from messaging.scheduling.adapters.scheduled_store import ScheduledReads
from messaging.scheduling.domain.scheduled import Scheduled
from messaging.scheduling.usecases.send_scheduled import send_scheduled
from messaging.scheduling.usecases.settle_scheduled import settle_scheduled
from messaging.wiring import App
from operations import alone

DUE_EVERY_S: Final = 1.0
BATCH: Final = 200
log = structlog.get_logger(__name__)


def jobs(app: App) -> Sequence[Runner]:
    return [Periodic("scheduled-messages", DUE_EVERY_S, lambda: send_due(app))]


async def send_due(app: App) -> None:
    """Send what is due now. One that fails, whatever the fault, is put off and holds nobody up."""
    async with app.database.read() as conn:
        due = await ScheduledReads(conn, app.keys).due(app.clock.now(), BATCH)

    async def deliver(each: Scheduled) -> Sent:
        body = SendMessageBody.model_validate(each.body)
        return await submit_message(replace(body.to_command(each.dialog_id, each.user_id), scheduled=True), app)

    async def settle(scheduled_id: UUID) -> None:
        each = waiting[scheduled_id]
        try:
            outcome = await send_scheduled(each, deliver)
        except Exception:  # whatever it is, it is about this one
            log.exception("scheduled_message_failed", scheduled_id=str(each.scheduled_id), attempts=each.attempts)
            outcome = each.after_fault()
        async with app.begin() as tx:
            await settle_scheduled(each, outcome, tx)

    waiting = {each.scheduled_id: each for each in due}
    for scheduled_id in waiting:
        await alone(scheduled_id, settle)
