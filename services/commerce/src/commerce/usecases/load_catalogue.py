"""Load a whole catalogue, such as the demo's: what is there already stays as it is."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.catalogue import Catalogue
from commerce.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCatalogue:
    catalogue: Catalogue


async def load_catalogue(command: LoadCatalogue, tx: Tx) -> tuple[int, int]:
    """Add what is missing, with its events; returns how many shops and products that was."""
    catalogue = command.catalogue
    await tx.categories.put(catalogue.categories)
    new_shops = [shop for shop in catalogue.shops if await tx.shops.get(shop.id) is None]
    for shop in new_shops:
        await tx.shops.add(shop)
        tx.events.shop_opened(shop)
    known = await tx.products.known([each.product.id for each in catalogue.products])
    new = [each for each in catalogue.products if each.product.id not in known]
    if new:
        await tx.products.add_many([(each.product, each.country) for each in new])
        await tx.stock.add([item for each in new for item in each.stock_items()], tx.now)
    shops = {shop.id: shop for shop in catalogue.shops}
    for each in new:
        tx.events.product_changed(each.product, shops[each.product.shop_id], tx.now)
    return len(new_shops), len(new)
