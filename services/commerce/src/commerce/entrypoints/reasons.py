"""Why an order was cancelled, and that its buyer lost nothing, in the reader's language."""

from __future__ import annotations

from typing import Final

from contracts.cancel_reasons import reason_text

_NO_MONEY_TAKEN: Final = {
    "en": "No money was taken.",
    "th": "ไม่มีการหักเงิน",
    "id": "Tidak ada uang yang ditarik.",
    "ms": "Tiada wang ditolak.",
    "vi": "Chúng tôi không trừ tiền.",
}


def cancelled_because(code: str, language: str) -> str | None:
    """None of what was not cancelled."""
    if not code:
        return None
    return f"{reason_text(code, language)} {_NO_MONEY_TAKEN.get(language, _NO_MONEY_TAKEN['en'])}"
