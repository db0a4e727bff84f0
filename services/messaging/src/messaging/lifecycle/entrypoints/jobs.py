"""The places of accounts that have ended are ended too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from chassis.run import Periodic, Runner
from messaging.core.adapters.ending_store import EndingStore
from messaging.lifecycle.usecases.end_account import tidy_after
from messaging.wiring import App

DUE_EVERY_S: Final = 1.0
ENDINGS_AT_ONCE: Final = 20
# A process that dies over an ended account is followed by another after this long.
ENDING_HELD: Final = timedelta(seconds=20)
log = structlog.get_logger(__name__)


def jobs(app: App) -> Sequence[Runner]:
    return [Periodic("endings", DUE_EVERY_S, lambda: tidy_after_ended(app))]


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
