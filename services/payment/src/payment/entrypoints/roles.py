"""What each role runs."""

from __future__ import annotations

from collections.abc import Sequence

import operations
from chassis.run import Periodic, Runner
from operations.invariants import count_broken
from payment.adapters.invariants import ALL
from payment.entrypoints import jobs as work
from payment.wiring import App

_HOUSEKEEPING_EVERY_S = 3600.0
_GAUGES_EVERY_S = 30.0
_IDLE_S = 10.0


def jobs(app: App) -> Sequence[Runner]:
    """Top-ups driven and confirmed, holds expired, charges returned, tables kept small, and the audit once an hour."""
    settings = app.settings
    return [
        Periodic("top-ups", settings.top_ups_every_s, lambda: work.top_ups(app), notifier=app.notifier.subscribe()),
        Periodic("top-up-ends", settings.top_ups_every_s, lambda: work.confirmations(app), idle_s=_IDLE_S),
        Periodic("hold-expiry", settings.expiry_every_s, lambda: work.expiry(app)),
        Periodic("charge-returns", settings.top_ups_every_s, lambda: work.returns(app), idle_s=_IDLE_S),
        Periodic("transaction-months", _HOUSEKEEPING_EVERY_S, lambda: work.transaction_months(app)),
        Periodic("forget-old", _HOUSEKEEPING_EVERY_S, lambda: work.forget_old(app)),
        Periodic("forget-done-failures", _GAUGES_EVERY_S, lambda: work.forget_done_failures(app)),
        Periodic("gauges", _GAUGES_EVERY_S, lambda: work.gauges(app)),
        *operations.housekeeping(app),
        operations.audit_job(app, lambda conn: count_broken(conn, ALL)),
    ]
