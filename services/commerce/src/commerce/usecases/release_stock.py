"""The undo of ReserveStock: what a checkout holds goes back to the shelf."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import CheckoutId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStock:
    checkout_id: CheckoutId


def release_stock(command: ReleaseStock, batch: CheckoutBatch) -> None:
    """Give back what is held, or sold and unpaid; a ReserveStock that comes later is refused.

    An unknown checkout has nothing to give back. Raises ``OrderAlreadyPaidError``.
    """
    checkout = batch.find(command.checkout_id)
    if checkout:
        batch.release(checkout)
