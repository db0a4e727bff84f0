"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import operations
from chassis.run import Periodic, Runner
from commerce.adapters import invariants
from commerce.entrypoints.jobs import fold_products, sweep_holds
from commerce.wiring import App
from operations.invariants import count_broken

SWEEP_EVERY_S: Final = 5.0
FOLD_EVERY_S: Final = 60.0


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("sweep-holds", SWEEP_EVERY_S, lambda: sweep_holds(app)),
        Periodic("fold-products", FOLD_EVERY_S, lambda: fold_products(app)),
        *operations.housekeeping(app),
        operations.audit_job(app, lambda conn: count_broken(conn, invariants.checks(app.settings.stuck_after_s))),
    ]
