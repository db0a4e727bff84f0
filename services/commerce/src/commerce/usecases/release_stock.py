"""The undo of ReserveStock: what a checkout holds goes back to the shelf."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.ids import CheckoutId
from commerce.domain.settlement import Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStock:
    checkout_id: CheckoutId


def release_stock(command: ReleaseStock, settlement: Settlement) -> None:
    """Give back what is held, or sold and unpaid; a ReserveStock that comes later is refused.

    An unknown checkout has nothing to give back. Raises ``OrderAlreadyPaidError``.
    """
    checkout = settlement.find(command.checkout_id)
    if checkout:
        settlement.release(checkout)
