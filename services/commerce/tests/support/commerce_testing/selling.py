"""A product on sale and checkouts of it, without the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from commerce.adapters.transaction import CommerceTx
from commerce.domain.checkout import StockState
from commerce.domain.ids import CheckoutId, UserId, VariantId
from commerce.domain.offer import WantedLine
from commerce.domain.product import Variant
from commerce.domain.texts import LocalisedText
from commerce.usecases.add_product import AddProduct, NewVariant, add_product
from commerce.usecases.open_shop import OpenShop, open_shop
from commerce.usecases.place_order import PlaceOrder, place_order
from commerce.wiring import App
from commerce_testing.people import variant_of
from kernel.country import Country


async def on_sale(app: App, *, on_hand: int) -> VariantId:
    """A new product's only variant, in a new shop in Vietnam."""
    owner, variant_id = UserId(uuid4()), VariantId(uuid4())
    variant = Variant(
        id=variant_id, sku="A", options={}, price_minor=150_000, compare_at_minor=None, barcode=None, weight_g=None
    )
    async with app.begin() as tx:
        shop = await open_shop(OpenShop(owner_id=owner, name="Shop", country=Country.VN), tx)
        command = AddProduct(
            user_id=owner,
            shop_id=shop.id,
            titles=LocalisedText({"vi": "Áo dài lụa"}),
            variants=[NewVariant(variant=variant, on_hand=on_hand)],
        )
        await add_product(command, tx)
    return variant_id


async def place_one(variant_id: VariantId, tx: CommerceTx) -> CheckoutId:
    """One unit, ordered by somebody new. Raises ``SoldOutError``."""
    lines = [WantedLine(variant_id=variant_id, quantity=1)]
    placed = await place_order(PlaceOrder(buyer_id=UserId(uuid4()), language="vi", lines=lines), tx)
    return placed.checkout.id


async def placed_before(app: App, variant_id: VariantId, count: int) -> list[CheckoutId]:
    """Checkouts of one unit each as the version before placed them, which held no stock: more than there is, too."""
    made = []
    async with app.begin() as tx:
        for _ in range(count):
            made.append(await place_one(variant_id, tx))
            await forget_stock(made[-1], tx)
    return made


async def forget_stock(checkout_id: CheckoutId, tx: CommerceTx) -> None:
    """Leave a checkout as the version before placed it."""
    [checkout] = await tx.orders.lock_checkouts([checkout_id])
    shelf = await tx.stock.lock(checkout.demand.keys(), [checkout_id], tx.now)
    shelf.release(checkout_id, checkout.demand)
    checkout.stock_state = StockState.NONE
    await tx.orders.save_checkouts([checkout])
    await tx.stock.save(shelf)


async def stock_of(app: App, product: Any) -> tuple[int, int]:
    """Units on hand and held of a product's first variant."""
    return await units_of(app, VariantId(UUID(variant_of(product))))


async def units_of(app: App, variant_id: VariantId) -> tuple[int, int]:
    """Units on hand and held."""
    async with app.database.read() as conn:
        row = await conn.fetchrow("SELECT on_hand, reserved FROM stock WHERE variant_id = $1", variant_id)
    assert row is not None
    return row["on_hand"], row["reserved"]
