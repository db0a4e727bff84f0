"""A provider's webhook, verified and read before anything of it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from prometheus_client import Counter

from payment.domain.provider import WebhookMalformedError, WebhookStaleError
from payment.usecases.ports import Provider, WebhookEvent

MALFORMED: Final = Counter("payment_webhooks_malformed", "Signed words of providers that cannot be read", ["provider"])
STALE: Final = Counter(
    "payment_webhooks_stale", "Signed words of providers whose time is too far from now", ["provider"]
)
log = structlog.get_logger(__name__)


def read_webhook(provider: Provider, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
    """Raises the webhook errors. What was signed and cannot be read is the provider's fault: counted and logged."""
    try:
        return provider.read_webhook(headers, body, now)
    except WebhookStaleError:
        STALE.labels(provider.name).inc()
        log.warning("webhook.stale", provider=provider.name)
        raise
    except WebhookMalformedError as error:
        MALFORMED.labels(provider.name).inc()
        log.warning("webhook.malformed", provider=provider.name, detail=error.detail)
        raise
