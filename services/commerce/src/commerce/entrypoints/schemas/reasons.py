"""Why an order was cancelled, in the reader's language."""

from __future__ import annotations

from contracts import cancel_reasons


def cancelled_because(code: str, language: str) -> str | None:
    """None of what was not cancelled."""
    return cancel_reasons.cancelled_because(code, language) if code else None
