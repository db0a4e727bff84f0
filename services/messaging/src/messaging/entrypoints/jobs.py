"""What runs by the clock: scheduled messages, polls whose time is over, the places of ended accounts, old ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from chassis.run import Periodic, Runner
from messaging.core.adapters.ending_store import EndingStore
from messaging.core.adapters.poll_store import PollStore
from messaging.core.domain.message import Sent
from messaging.core.entrypoints.posting import send
from messaging.core.entrypoints.schemas.messages import SendMessageBody
from messaging.lifecycle.usecases.end_account import tidy_after
from messaging.polls.usecases.poll_votes import end_poll
from messaging.scheduling.usecases.scheduled_messages import (
    Scheduled,
    after_fault,
    note_outcome,
    send_scheduled,
    take_due,
)
from messaging.wiring import App
from operations import alone

DUE_EVERY_S: Final = 1.0
FORGET_EVERY_S: Final = 300.0
BATCH: Final = 200
ENDINGS_AT_ONCE: Final = 20
# A process that dies over an ended account is followed by another after this long.
ENDING_HELD: Final = timedelta(seconds=20)
# A client may repeat a message as late as this and get the first answer.
SENT_IDS_KEPT: Final = timedelta(days=14)
log = structlog.get_logger(__name__)


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("scheduled-messages", DUE_EVERY_S, lambda: send_due(app)),
        Periodic("polls", DUE_EVERY_S, lambda: close_due_polls(app)),
        Periodic("endings", DUE_EVERY_S, lambda: tidy_after_ended(app)),
        Periodic("sent-ids", FORGET_EVERY_S, lambda: forget_sent_ids(app)),
    ]


async def send_due(app: App) -> None:
    """Send what is due now. One that fails, whatever the fault, is put off and holds nobody up."""
    async with app.database.read() as conn:
        due = await take_due(conn, app.keys, app.clock.now(), BATCH)

    async def deliver(each: Scheduled) -> Sent:
        return await send(app, each.user_id, each.dialog_id, SendMessageBody.model_validate(each.body), scheduled=True)

    async def settle(scheduled_id: UUID) -> None:
        each = waiting[scheduled_id]
        try:
            outcome = await send_scheduled(each, deliver)
        except Exception:  # whatever it is, it is about this one
            log.exception("scheduled_message_failed", scheduled_id=str(each.scheduled_id), attempts=each.attempts)
            outcome = after_fault(each)
        async with app.begin() as tx:
            await note_outcome(each, outcome, tx)

    waiting = {each.scheduled_id: each for each in due}
    for scheduled_id in waiting:
        await alone(scheduled_id, settle)


async def tidy_after_ended(app: App) -> None:
    """End the places of accounts that have ended. One that fails is left for a while and holds nobody up."""
    async with app.database.begin() as conn:
        now = app.clock.now()
        due = await EndingStore(conn).take_endings(now, now + ENDING_HELD, ENDINGS_AT_ONCE)
    for user_id, requested_at in due:
        try:
            await tidy_after(user_id, requested_at, app.begin)
        except Exception:  # whatever it is, it is about this one
            log.exception("account_ending_failed", user_id=str(user_id))


async def close_due_polls(app: App) -> None:
    """Close polls whose time is over. One that fails stays open and holds nobody up."""
    async with app.database.read() as conn:
        due = await PollStore(conn).due(app.clock.now(), BATCH)
    for each in due:
        await alone(each, partial(_close, app))


async def forget_sent_ids(app: App) -> None:
    """Delete ids that are older than any retry."""
    async with app.database.read() as conn:
        await conn.execute("DELETE FROM sent_message WHERE created_at < $1", app.clock.now() - SENT_IDS_KEPT)


async def _close(app: App, place: tuple[UUID, int]) -> None:
    dialog_id, seq = place
    async with app.begin() as tx:
        dialog = await tx.stream.lock(dialog_id)
        poll = await tx.polls.find(dialog_id, seq)
        if poll is not None:
            await end_poll(dialog, poll, None, tx)
