"""Errors of providers and of their webhooks."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class ProviderUnknownError(DomainError):
    code, kind = "payment.provider.unknown", Kind.NOT_FOUND
    title = "There is no such provider"


class WebhookSignatureError(DomainError):
    code, kind = "payment.webhook.signature_invalid", Kind.UNAUTHENTICATED
    title = "The signature does not match"


class WebhookStaleError(DomainError):
    code, kind = "payment.webhook.outside_time_window", Kind.UNAUTHENTICATED
    title = "The signature's time is too far from now"


class WebhookMalformedError(DomainError):
    code, kind = "payment.webhook.malformed", Kind.MALFORMED
    title = "The webhook cannot be read"
