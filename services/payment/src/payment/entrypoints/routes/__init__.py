"""Payment's routes, one file a resource."""

from __future__ import annotations

from typing import Final

from payment.entrypoints.routes import (
    charges_in_review,
    job_failures,
    provider_webhooks,
    top_ups,
    transfers,
    wallets,
)

TABLE: Final = (
    wallets.routes,
    top_ups.routes,
    transfers.routes,
    provider_webhooks.routes,
    charges_in_review.routes,
    job_failures.routes,
)
