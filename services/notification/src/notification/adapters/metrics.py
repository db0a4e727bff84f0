"""What the process tells Prometheus about deliveries."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge

DELIVERIES: Final = Gauge(
    "notification_deliveries",
    "Deliveries that wait, and those that ended within the last hour (withheld: nothing was to be sent)",
    ["channel", "status", "failure_code"],
)
OLDEST_S: Final = Gauge(
    "notification_deliveries_oldest_seconds", "Age of the oldest delivery that waits", ["channel", "lane"]
)
