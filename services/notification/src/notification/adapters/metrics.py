"""What the process tells Prometheus about deliveries."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge

from chassis.postgres import Database
from notification.adapters.delivery_reads import count_deliveries, oldest_pending

DELIVERIES: Final = Gauge(
    "notification_deliveries",
    "Deliveries that wait, and those that ended within the last hour (withheld: nothing was to be sent)",
    ["channel", "status", "failure_code"],
)
OLDEST_S: Final = Gauge(
    "notification_deliveries_oldest_seconds", "Age of the oldest delivery that waits", ["channel", "lane"]
)


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
