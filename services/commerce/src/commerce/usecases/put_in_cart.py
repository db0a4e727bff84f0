"""A person puts units of a variant into the cart, at the price they see."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.cart import ITEMS_MAX, CartFullError, CartItem, NotForSaleError
from commerce.domain.ids import UserId, VariantId
from commerce.domain.product import VariantNotFoundError
from commerce.domain.totals import TotalTooLargeError
from commerce.usecases.ports import Tx
from kernel.money import AMOUNT_MINOR_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class PutInCart:
    user_id: UserId
    variant_id: VariantId
    quantity: int


async def put_in_cart(command: PutInCart, tx: Tx) -> None:
    """Set the quantity and renew the price seen.

    Raises ``VariantNotFoundError``, ``NotForSaleError``, ``CartFullError``, ``TotalTooLargeError`` and
    ``AccountEndedError``.
    """
    await tx.accounts.lock_alive(command.user_id)
    offer = (await tx.products.offers([command.variant_id])).get(command.variant_id)
    if offer is None:
        raise VariantNotFoundError
    if not offer.for_sale:
        raise NotForSaleError
    if offer.price_minor * command.quantity > AMOUNT_MINOR_MAX:
        raise TotalTooLargeError(pointer="/quantity")
    items = await tx.carts.items(command.user_id)
    if len(items) >= ITEMS_MAX and command.variant_id not in {item.variant_id for item in items}:
        raise CartFullError
    item = CartItem(variant_id=command.variant_id, quantity=command.quantity, price=offer.price)
    await tx.carts.put(command.user_id, item, tx.now)
