"""Load the demo catalogue: what is there already stays as it is."""

from __future__ import annotations

from commerce.adapters.demo_catalogue_reads import DemoCatalogue, StockedProduct
from commerce.domain.ids import ShopId
from commerce.domain.stock import StockItem
from commerce.usecases.ports import Tx


async def load_catalogue(catalogue: DemoCatalogue, tx: Tx) -> tuple[int, int]:
    """Add what is missing, announced like anybody's; returns how many shops and products that was."""
    await tx.categories.put(catalogue.categories)
    new_shops = [shop for shop in catalogue.shops if await tx.shops.get(shop.id) is None]
    for shop in new_shops:
        await tx.shops.add(shop)
        tx.events.shop_opened(shop)
    known = await tx.products.known([each.product.id for each in catalogue.products])
    new = [each for each in catalogue.products if each.product.id not in known]
    if new:
        await tx.products.add_many([(each.product, each.country) for each in new])
        await tx.stock.add([item for each in new for item in _stock(each)], tx.now)
    shops = {ShopId(shop.id): shop for shop in catalogue.shops}
    for each in new:
        tx.events.product_changed(each.product, shops[each.product.shop_id], tx.now)
    return len(new_shops), len(new)


def _stock(each: StockedProduct) -> list[StockItem]:
    return [
        StockItem(
            variant_id=variant.id,
            product_id=each.product.id,
            shop_id=each.product.shop_id,
            on_hand=on_hand,
            reserved=0,
            version=1,
            count_version=1,
        )
        for variant, on_hand in zip(each.product.variants, each.on_hand, strict=True)
    ]
