"""What each role runs."""

from __future__ import annotations

from collections.abc import Sequence

import operations
from chassis.postgres import Connection
from chassis.run import Periodic, Runner
from payment.adapters import audit
from payment.entrypoints import jobs as work
from payment.entrypoints.consumers import subscriptions
from payment.wiring import App

_HOUSEKEEPING_EVERY_S = 3600.0


def consumers(app: App) -> Sequence[Runner]:
    """People and saga commands."""
    return operations.consumers(app, subscriptions)


def relays(app: App) -> Sequence[Runner]:
    """The outbox to Kafka."""
    return operations.relays(app)


def jobs(app: App) -> Sequence[Runner]:
    """Top-ups driven, holds expired, tables kept small, and the audit once an hour."""
    settings = app.settings
    return [
        Periodic("top-ups", settings.top_ups_every_s, lambda: work.top_ups(app), bell=app.doorbell.subscribe()),
        Periodic("hold-expiry", settings.expiry_every_s, lambda: work.expiry(app)),
        Periodic("housekeeping", _HOUSEKEEPING_EVERY_S, lambda: work.housekeeping(app)),
        *operations.housekeeping(app),
        operations.audit_job(app, _violations),
    ]


def background(app: App) -> Sequence[Runner]:
    """In every role: sessions that were revoked."""
    return operations.background(app)


async def _violations(conn: Connection) -> int:
    return sum(finding.count > 0 for finding in await audit.audit(conn))
