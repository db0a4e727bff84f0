"""What core does by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from chassis.run import Periodic, Runner
from messaging.core.adapters.sent_message_store import SentMessageStore
from messaging.wiring import App

FORGET_EVERY_S: Final = 300.0
# A client may repeat a message as late as this and get the first answer.
SENT_IDS_KEPT: Final = timedelta(days=14)


def jobs(app: App) -> Sequence[Runner]:
    return [Periodic("sent-ids", FORGET_EVERY_S, lambda: forget_sent_ids(app))]


async def forget_sent_ids(app: App) -> None:
    """Delete ids that are older than any retry."""
    async with app.database.read() as conn:
        await SentMessageStore(conn).forget_before(app.clock.now() - SENT_IDS_KEPT)
