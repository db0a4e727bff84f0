"""A person takes a variant out of the cart."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.ids import UserId, VariantId
from commerce.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeFromCart:
    user_id: UserId
    variant_id: VariantId


async def take_from_cart(command: TakeFromCart, tx: Tx) -> None:
    """Gone; what was not there is gone too."""
    await tx.accounts.lock(command.user_id)
    await tx.carts.remove(command.user_id, [command.variant_id])
