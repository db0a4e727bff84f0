"""A service's audit by the clock, so that a broken invariant calls somebody before a customer does."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import Gauge

from chassis.run import Periodic

log = structlog.get_logger(__name__)

EVERY_S: Final = 3600.0
FAULTS: Final = Gauge("operations_audit_faults", "Invariants that did not hold at the last audit", ["service"])
AUDITED_AT: Final = Gauge(
    "operations_audit_timestamp_seconds", "When the last audit came to its end, or the process began", ["service"]
)


def audit_job(service: str, audit: Callable[[], Awaitable[int]], *, every_s: float = EVERY_S) -> Periodic:
    """``audit`` only reads, and returns how many invariants do not hold. ``python -m <service> audit`` says which."""

    async def look() -> None:
        faults = await audit()
        FAULTS.labels(service).set(faults)
        AUDITED_AT.labels(service).set(time.time())
        if faults:
            log.error("audit.failed", service=service, faults=faults)

    AUDITED_AT.labels(service).set(time.time())
    return Periodic("audit", every_s, look)
