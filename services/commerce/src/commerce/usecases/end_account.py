"""A person's account ended: their shops sell nothing any more, and their cart is empty.

Orders that are confirmed stay as they are, for the other side to see. Those that are not fail at their confirmation,
which gives the money back (``CheckoutBatch``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commerce.domain.ids import UserId
from commerce.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAccount:
    user_id: UserId
    ended_at: datetime


async def end_account(command: EndAccount, tx: Tx) -> None:
    """Once is enough; what the person begins at the same moment is over before, or refused."""
    await tx.accounts.lock(command.user_id)
    if not await tx.accounts.end(command.user_id, command.ended_at):
        return
    await tx.carts.clear(command.user_id)
    closed = await tx.shops.close_all(command.user_id)
    for product in await tx.products.archive_all(closed):
        tx.events.product_withdrawn(product, tx.now)
        tx.hints.product_changed(product.product_id)
