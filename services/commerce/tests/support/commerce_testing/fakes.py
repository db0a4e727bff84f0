"""The ports of commerce's use cases in memory: what is stored is in dicts, and events are names with what they are of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from commerce.domain.account import AccountEndedError
from commerce.domain.cart import CartItem
from commerce.domain.category import Category, CategoryTree
from commerce.domain.checkout import Checkout
from commerce.domain.ids import CategoryId, CheckoutId, OrderId, ProductId, ShopId, UserId, VariantId, WalletId
from commerce.domain.offer import Offer
from commerce.domain.order import Order, OrderPlacement
from commerce.domain.product import Product, ProductNotFoundError, ProductStatus, Variant
from commerce.domain.shop import Shop, ShopClosedError, ShopSlugTakenError, ShopStatus
from commerce.domain.stock import Hold, Shelf, StockItem, StockMoved, latest_moves
from commerce.usecases.ports import WithdrawnProduct
from commerce_testing.builders import NOW
from kernel.correlation import InFlow, same_flow
from kernel.country import Country
from kernel.errors import DomainError


@dataclass
class FakeAccounts:
    ended: dict[UserId, datetime] = field(default_factory=dict)
    locked: list[UserId] = field(default_factory=list)

    async def lock(self, user_id: UserId) -> None:
        self.locked.append(user_id)

    async def lock_alive(self, user_id: UserId) -> None:
        await self.lock(user_id)
        if user_id in self.ended:
            raise AccountEndedError

    async def end(self, user_id: UserId, at: datetime) -> bool:
        first = user_id not in self.ended
        self.ended.setdefault(user_id, at)
        return first


@dataclass
class FakeShops:
    by_id: dict[ShopId, Shop] = field(default_factory=dict)

    async def add(self, shop: Shop) -> None:
        if shop.slug in {each.slug for each in self.by_id.values()}:
            raise ShopSlugTakenError(pointer="/slug")
        self.by_id[shop.id] = shop

    async def get(self, shop_id: ShopId) -> Shop | None:
        return self.by_id.get(shop_id)

    async def lock(self, shop_id: ShopId) -> Shop | None:
        return self.by_id.get(shop_id)

    async def get_many(self, shop_ids: Collection[ShopId]) -> dict[ShopId, Shop]:
        return {shop_id: self.by_id[shop_id] for shop_id in shop_ids if shop_id in self.by_id}

    async def close_all(self, owner_id: UserId) -> list[ShopId]:
        open_shops = [
            shop for shop in self.by_id.values() if shop.owner_id == owner_id and shop.status is not ShopStatus.CLOSED
        ]
        for shop in open_shops:
            self.by_id[shop.id] = replace(shop, status=ShopStatus.CLOSED, version=shop.version + 1)
        return [shop.id for shop in open_shops]


@dataclass
class FakeCategories:
    by_id: dict[CategoryId, Category] = field(default_factory=dict)

    async def tree(self) -> CategoryTree:
        return CategoryTree(self.by_id.values())

    async def put(self, categories: Sequence[Category]) -> None:
        self.by_id.update({each.id: each for each in categories})


@dataclass
class FakeProducts:
    shops: FakeShops
    by_id: dict[ProductId, Product] = field(default_factory=dict)

    async def add_many(self, products: Iterable[tuple[Product, Country]]) -> None:
        self.by_id.update({product.id: product for product, _ in products})

    async def get(self, product_id: ProductId) -> Product | None:
        return self.by_id.get(product_id)

    async def lock(self, product_id: ProductId) -> Product:
        if product_id not in self.by_id:
            raise ProductNotFoundError
        return self.by_id[product_id]

    async def known(self, product_ids: Collection[ProductId]) -> set[ProductId]:
        return set(product_ids) & self.by_id.keys()

    async def save(self, product: Product, version_read: int) -> None:
        assert self.by_id[product.id].version == version_read
        self.by_id[product.id] = product

    async def offers(self, variant_ids: Collection[VariantId]) -> dict[VariantId, Offer]:
        return {
            variant.id: _offer(variant, product, self.shops.by_id[product.shop_id])
            for product in self.by_id.values()
            for variant in product.variants
            if variant.id in variant_ids
        }

    async def archive_all(self, shop_ids: Collection[ShopId]) -> list[WithdrawnProduct]:
        theirs = [product for product in self.by_id.values() if product.shop_id in shop_ids]
        for product in theirs:
            self.by_id[product.id] = replace(product, status=ProductStatus.ARCHIVED, version=product.version + 1)
        return [
            WithdrawnProduct(product_id=product.id, shop_id=product.shop_id, version=product.version + 1)
            for product in theirs
            if product.status is ProductStatus.ACTIVE
        ]


@dataclass
class FakeStock:
    items: dict[VariantId, StockItem] = field(default_factory=dict)
    holds: dict[tuple[CheckoutId, VariantId], Hold] = field(default_factory=dict)
    moved: list[StockMoved] = field(default_factory=list)

    async def lock(
        self, variant_ids: Collection[VariantId], checkout_ids: Collection[CheckoutId], now: datetime
    ) -> Shelf:
        """Copies: what is not saved did not happen."""
        holds = [
            hold
            for hold in self.holds.values()
            if hold.checkout_id in checkout_ids or (hold.variant_id in variant_ids and hold.expires_at <= now)
        ]
        return Shelf([copy(self.items[each]) for each in variant_ids if each in self.items], holds, now)

    async def lock_wanted(self, demand: Mapping[VariantId, int], now: datetime) -> Shelf:
        return await self.lock(demand, (), now)

    async def save(self, shelf: Shelf) -> None:
        self.items.update(shelf.items)
        for hold in shelf.holds_closed:
            del self.holds[hold.checkout_id, hold.variant_id]
        for hold in shelf.holds_opened:
            self.holds[hold.checkout_id, hold.variant_id] = hold
        self.moved += shelf.moved

    async def add(self, items: Sequence[StockItem], at: datetime) -> None:
        self.items.update({item.variant_id: item for item in items})


@dataclass
class FakeCarts:
    by_user: dict[UserId, dict[VariantId, CartItem]] = field(default_factory=dict)

    async def items(self, user_id: UserId) -> list[CartItem]:
        return list(self.by_user.get(user_id, {}).values())

    async def put(self, user_id: UserId, item: CartItem, at: datetime) -> None:
        self.by_user.setdefault(user_id, {})[item.variant_id] = item

    async def remove(self, user_id: UserId, variant_ids: Collection[VariantId]) -> None:
        for variant_id in variant_ids:
            self.by_user.get(user_id, {}).pop(variant_id, None)

    async def clear(self, user_id: UserId) -> None:
        self.by_user.pop(user_id, None)


@dataclass
class FakeOrders:
    accounts: FakeAccounts
    shops: FakeShops
    checkouts: dict[CheckoutId, Checkout] = field(default_factory=dict)
    orders: dict[OrderId, Order] = field(default_factory=dict)
    saved: list[OrderId] = field(default_factory=list)

    async def next_numbers(self, countries: Sequence[Country], year: int) -> list[str]:
        return [f"{country}-{year % 100}-{number:06}" for number, country in enumerate(countries, len(self.orders) + 1)]

    async def add(self, checkout: Checkout, placements: Sequence[OrderPlacement]) -> None:
        self.checkouts[checkout.id] = checkout
        await self.save([placement.order for placement in placements])

    async def lock_checkouts(self, checkout_ids: Collection[CheckoutId]) -> list[Checkout]:
        """Copies, as all that is read here: what is not saved did not happen."""
        return [copy(self.checkouts[each]) for each in sorted(checkout_ids) if each in self.checkouts]

    async def orders_of(self, checkout_ids: Collection[CheckoutId]) -> list[Order]:
        return [_read(order) for order in self.orders.values() if order.checkout_id in checkout_ids]

    async def abandoned(self, checkout_ids: Collection[CheckoutId]) -> dict[CheckoutId, DomainError]:
        refusals: dict[CheckoutId, DomainError] = {}
        for order in await self.orders_of(checkout_ids):
            shop = self.shops.by_id.get(order.shop_id)
            if shop and shop.status is ShopStatus.CLOSED:
                refusals[order.checkout_id] = ShopClosedError()
            elif order.buyer_id in self.accounts.ended:
                refusals.setdefault(order.checkout_id, AccountEndedError())
        return refusals

    async def get(self, order_id: OrderId) -> Order | None:
        return _read(self.orders[order_id]) if order_id in self.orders else None

    async def lock(self, order_id: OrderId) -> Order | None:
        return await self.get(order_id)

    async def save_checkouts(self, checkouts: Collection[Checkout]) -> None:
        self.checkouts.update({checkout.id: checkout for checkout in checkouts})

    async def save(self, orders: Sequence[Order]) -> None:
        self.orders.update({order.id: order for order in orders})
        self.saved += [order.id for order in orders]


@dataclass
class FakeEvents:
    """``sent``: each event's name and the id of what it is about, in order."""

    sent: list[tuple[str, object]] = field(default_factory=list)
    wallet_id: WalletId | None = None

    def names(self) -> list[str]:
        return [name for name, _ in self.sent]

    def shop_opened(self, shop: Shop) -> None:
        self.sent.append(("shop_opened", shop.id))

    def product_changed(self, product: Product, shop: Shop, at: datetime) -> None:
        self.sent.append(("product_changed", product.id))

    def product_withdrawn(self, product: WithdrawnProduct, at: datetime) -> None:
        self.sent.append(("product_withdrawn", product.product_id))

    async def stock_moved(self, moved: Sequence[StockMoved], in_flow: InFlow = same_flow) -> None:
        for each in latest_moves(moved):
            with in_flow(each.checkout_id):
                self.sent.append((f"stock_{each.movement}", each.variant_id))

    def order_placed(self, placement: OrderPlacement, at: datetime) -> None:
        self.sent.append(("order_placed", placement.order.id))

    def order_moved(self, order: Order) -> None:
        self.sent += [(f"order_{fact.kind}", order.id) for fact in order.facts]

    def start_payment(self, checkout: Checkout, orders: Sequence[Order], wallet_id: WalletId | None) -> None:
        self.sent.append(("start_payment", checkout.id))
        self.wallet_id = wallet_id

    def cancel_payment(self, checkout: Checkout, reason: str) -> None:
        self.sent.append(("cancel_payment", checkout.id))


@dataclass
class FakeHints:
    products: set[ProductId] = field(default_factory=set)
    checkouts: set[CheckoutId] = field(default_factory=set)

    def product_changed(self, product_id: ProductId) -> None:
        self.products.add(product_id)

    def payments_decided(self, checkout_ids: Iterable[CheckoutId]) -> None:
        self.checkouts.update(checkout_ids)


class FakeTx:
    """Implements ``Tx``: one store for all transactions of a test. ``now`` may be moved on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.accounts = FakeAccounts()
        self.shops = FakeShops()
        self.categories = FakeCategories()
        self.products = FakeProducts(self.shops)
        self.stock = FakeStock()
        self.carts = FakeCarts()
        self.orders = FakeOrders(self.accounts, self.shops)
        self.events = FakeEvents()
        self.hints = FakeHints()

    def put_on_sale(self, product: Product, shop: Shop, *, on_hand: int = 10) -> Product:
        """The product in the shop, with so many units of each variant."""
        self.shops.by_id[shop.id] = shop
        self.products.by_id[product.id] = product
        for variant in product.variants:
            self.stock.items[variant.id] = StockItem(
                variant_id=variant.id,
                product_id=product.id,
                shop_id=shop.id,
                on_hand=on_hand,
                reserved=0,
                version=1,
                count_version=1,
            )
        return product


def _read(order: Order) -> Order:
    """As it is loaded: without the facts that are stored."""
    return replace(order, facts=[])


def _offer(variant: Variant, product: Product, shop: Shop) -> Offer:
    return Offer(
        variant_id=variant.id,
        product_id=product.id,
        shop_id=shop.id,
        shop_name=shop.name,
        seller_id=shop.owner_id,
        country=shop.country,
        currency=product.currency,
        prices_include_tax=shop.prices_include_tax,
        sku=variant.sku,
        options=variant.options,
        titles=product.titles,
        shop_language=shop.language,
        price_minor=variant.price_minor,
        tax_class=product.tax_class,
        for_sale=product.status is ProductStatus.ACTIVE and shop.status is ShopStatus.OPEN,
    )
