"""Why an order was cancelled, as its buyer reads it: the sentence of its ``reason_code``, and that it costs nothing.

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
# True of a payment that was refused, and of one that was taken and returned before the order was cancelled.
NOTHING_TO_PAY: Final[Mapping[str, str]] = {
    "en": "You pay nothing for it.",
    "th": "คุณไม่ต้องจ่ายเงินสำหรับคำสั่งซื้อนี้",
    "id": "Anda tidak membayar apa pun untuk pesanan ini.",
    "ms": "Anda tidak membayar apa-apa untuk pesanan ini.",
    "vi": "Bạn không phải trả tiền cho đơn hàng này.",
}


def cancelled_because(code: str, language: str) -> str:
    """The sentence for a code, and that there is nothing to pay: what was taken is in the buyer's wallet again.

    A code that no service published reads as that the order could not be completed, and is logged.
    """
    sentence = reason_text(code, language, of="commerce")
    if sentence is None:
        _log_unknown(code)
        sentence = NOT_COMPLETED.get(language, NOT_COMPLETED[FALLBACK])
    return f"{sentence} {NOTHING_TO_PAY.get(language, NOTHING_TO_PAY[FALLBACK])}"


@lru_cache(maxsize=256)
def _log_unknown(code: str) -> None:
    """Once a code and process: a list of orders asks for it again and again."""
    log.warning("cancel_reason_unknown code=%s", code)
