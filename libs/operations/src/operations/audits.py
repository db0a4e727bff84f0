"""A service's audit by the clock, so that a broken invariant calls somebody before a customer does.

Invariant: of all processes of a service one audits at a time, on a connection of its own: a long look takes none from
the pool, and is cut after ``AUDIT_STATEMENT_S`` a statement, not after what a request may take.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import structlog
from prometheus_client import Gauge

from chassis.postgres import Connection
from chassis.run import Periodic
from operations.app import OperatedApp, schema_of, service_of

log = structlog.get_logger(__name__)

EVERY_S: Final = 3600.0
AUDIT_STATEMENT_S: Final = 900.0
FAULTS: Final = Gauge("operations_audit_faults", "Invariants that did not hold at the last audit", ["service"])
AUDITED_AT: Final = Gauge(
    "operations_audit_timestamp_seconds", "When the last audit came to its end, or the process began", ["service"]
)
_AUDIT_S: Final = 2 * EVERY_S  # all its statements together
_CONNECT_S: Final = 10.0
_ANSWER_S: Final = 5.0

Audit = Callable[[Connection], Awaitable[int]]


def audit_job(
    app: OperatedApp, audit: Audit, *, every_s: float = EVERY_S, statement_timeout_s: float = AUDIT_STATEMENT_S
) -> Periodic:
    """``audit`` only reads, and returns how many invariants do not hold. ``python -m <service> audit`` says which."""
    service = service_of(app)

    async def look() -> None:
        async with audit_connection(app, statement_timeout_s=statement_timeout_s) as conn:
            if not await _alone(conn, schema_of(app)):
                _leave_it_to_another(service)
                return
            faults = await audit(conn)
        FAULTS.labels(service).set(faults)
        AUDITED_AT.labels(service).set(time.time())
        if faults:
            log.error("audit.failed", service=service, faults=faults)

    AUDITED_AT.labels(service).set(time.time())
    return Periodic("audit", every_s, look, bound_s=_AUDIT_S)


@asynccontextmanager
async def audit_connection(
    app: OperatedApp, *, statement_timeout_s: float = AUDIT_STATEMENT_S
) -> AsyncIterator[Connection]:
    """A connection outside the pool, read only, whose statements may take ``statement_timeout_s``."""
    schema = schema_of(app)
    conn = await asyncpg.connect(
        app.settings.database_dsn.get_secret_value(),
        timeout=_CONNECT_S,
        command_timeout=statement_timeout_s + _ANSWER_S,
        server_settings={
            "application_name": f"sampan-{schema}-audit",
            "search_path": f"{schema}, public",
            "timezone": "UTC",
            "statement_timeout": str(int(statement_timeout_s * 1000)),
            "default_transaction_read_only": "on",
        },
    )
    try:
        yield conn
    finally:
        await conn.close(timeout=_ANSWER_S)


async def _alone(conn: Connection, schema: str) -> bool:
    """Held until the connection closes, also when its process is killed."""
    alone: bool = await conn.fetchval(
        "SELECT pg_try_advisory_lock(hashtextextended('operations.audit:' || $1::text, 0))", schema
    )
    return alone


def _leave_it_to_another(service: str) -> None:
    """What this process found an hour ago is no longer the last word."""
    FAULTS.labels(service)
    FAULTS.remove(service)
    log.info("audit.left_to_another", service=service)
