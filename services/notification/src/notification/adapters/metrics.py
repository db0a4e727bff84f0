"""What the process tells Prometheus: about deliveries, and about rows that are damaged."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from prometheus_client import Counter, Gauge

from chassis.postgres import Database
from notification.adapters.delivery_reads import count_deliveries, oldest_pending
from operations import UnreadableNotes

DELIVERIES: Final = Gauge(
    "notification_deliveries",
    "Deliveries that wait, and those that ended within the last hour (withheld: nothing was to be sent)",
    ["channel", "status", "failure_code"],
)
OLDEST_S: Final = Gauge(
    "notification_deliveries_oldest_seconds", "Age of the oldest delivery that waits", ["channel", "lane"]
)
_UNREADABLE: Final = Counter(
    "notification_unreadable", "Reads of something stored that is damaged; each thing is logged once", ["what"]
)


class What(StrEnum):
    """What is damaged: its row is shown as far as it can be read, and is its own outcome alone."""

    NOTIFICATION = "notification"
    DELIVERY = "delivery"


note_unreadable: Final = UnreadableNotes(_UNREADABLE, What).note


async def observe_deliveries(database: Database) -> None:
    """Set the gauges."""
    async with database.read() as conn:
        counts = await count_deliveries(conn)
        oldest = await oldest_pending(conn)
    DELIVERIES.clear()
    for row in counts:
        DELIVERIES.labels(row["channel"], row["status"], row["failure_code"]).set(row["count"])
    OLDEST_S.clear()
    for row in oldest:
        OLDEST_S.labels(row["channel"], row["lane"]).set(row["seconds"])
