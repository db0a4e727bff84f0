"""Polls are closed when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from chassis.run import Periodic, Runner
from messaging.polls.adapters.poll_store import PollStore
from messaging.polls.usecases.end_poll import end_poll
from messaging.wiring import App
from operations import alone

DUE_EVERY_S: Final = 1.0
BATCH: Final = 200


def jobs(app: App) -> Sequence[Runner]:
    return [Periodic("polls", DUE_EVERY_S, lambda: close_due_polls(app))]


async def close_due_polls(app: App) -> None:
    """Close polls whose time is over. One that fails stays open and holds nobody up."""
    async with app.database.read() as conn:
        due = await PollStore(conn).due(app.clock.now(), BATCH)
    for each in due:
        await alone(each, partial(_close, app))


async def _close(app: App, place: tuple[UUID, int]) -> None:
    dialog_id, seq = place
    async with app.begin() as tx:
        dialog = await tx.stream.lock(dialog_id)
        poll = await tx.polls.find(dialog_id, seq)
        if poll is not None:
            await end_poll(dialog, poll, None, tx)
