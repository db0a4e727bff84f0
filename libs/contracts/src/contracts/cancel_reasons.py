"""Why an order was cancelled, as its buyer reads it: the sentence of its ``reason_code``, and that it took nothing.

One place for everybody who shows it. A code is that of the refusal that ended the payment, or of who ended it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from contracts.reasons import FALLBACK, reason_text

log = logging.getLogger(__name__)

BUYER: Final = "buyer"

NOT_COMPLETED: Final[Mapping[str, str]] = {
    "en": "The order could not be completed.",
    "th": "ไม่สามารถดำเนินการคำสั่งซื้อให้เสร็จได้",
    "id": "Pesanan tidak dapat diselesaikan.",
    "ms": "Pesanan tidak dapat diselesaikan.",
    "vi": "Không thể hoàn tất đơn hàng.",
}
NO_MONEY_TAKEN: Final[Mapping[str, str]] = {
    "en": "No money was taken.",
    "th": "ไม่มีการหักเงิน",
    "id": "Tidak ada uang yang ditarik.",
    "ms": "Tiada wang ditolak.",
    "vi": "Chúng tôi không trừ tiền.",
}


def cancelled_because(code: str, language: str) -> str:
    """The sentence for a code, and that no money was taken: nothing else is known of the buyer's wallet.

    A code that no service published reads as that the order could not be completed, and is logged.
    """
    sentence = reason_text(code, language, of="commerce")
    if sentence is None:
        _log_unknown(code)
        sentence = NOT_COMPLETED.get(language, NOT_COMPLETED[FALLBACK])
    return f"{sentence} {NO_MONEY_TAKEN.get(language, NO_MONEY_TAKEN[FALLBACK])}"


@lru_cache(maxsize=256)
def _log_unknown(code: str) -> None:
    """Once a code and process: a list of orders asks for it again and again."""
    log.warning("cancel_reason_unknown code=%s", code)
