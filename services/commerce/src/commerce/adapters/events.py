"""Domain facts as Protobuf records in the outbox: the only writer of the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from commerce.adapters.product_store import ProductStore
from commerce.domain.checkout import Checkout
from commerce.domain.ids import ProductId, ShopId, UserId, WalletId
from commerce.domain.order import FactKind, Order, OrderFact, OrderPlacement
from commerce.domain.product import Product, ProductStatus
from commerce.domain.shop import Shop
from commerce.domain.stock import StockMoved, latest_moves
from commerce.usecases.ports import WithdrawnProduct
from contracts.values import money_message_of, timestamp_of
from eventing import Outbox
from kernel.correlation import InFlow, same_flow
from kernel.money import Currency, Money
from sampan.commerce.v1 import order_pb2, product_pb2, shop_pb2, stock_pb2
from sampan.orchestrator.v1 import commands_pb2
from sampan.types.v1 import money_pb2


class Events:
    """Implements ``Events``. Ids of events are the outbox's; versions are the aggregates'."""

    def __init__(self, outbox: Outbox, products: ProductStore) -> None:
        self._outbox = outbox
        self._products = products

    def shop_opened(self, shop: Shop) -> None:
        self._outbox.add(
            shop_pb2.ShopOpened(
                shop_id=str(shop.id),
                owner_id=str(shop.owner_id),
                name=shop.name,
                country=shop.country,
                currency=shop.currency,
                opened_at=timestamp_of(shop.created_at),
            ),
            aggregate_version=shop.version,
        )

    def product_changed(self, product: Product, shop: Shop, at: datetime) -> None:
        """Published while it is active; withdrawn once it was and is not any more."""
        if product.status is ProductStatus.ACTIVE:
            body: Any = product_pb2.ProductPublished(
                product_id=str(product.id),
                shop_id=str(product.shop_id),
                title=product.titles.read(shop.language),
                category_id=str(product.category_id) if product.category_id else "",
                price_from=_money(product.price_from_minor, product.currency),
                status=product.status,
                at=timestamp_of(at),
            )
        else:
            body = _withdrawn(product.id, product.shop_id, product.status, at)
        self._outbox.add(body, aggregate_version=product.version)

    def product_withdrawn(self, product: WithdrawnProduct, at: datetime) -> None:
        body = _withdrawn(product.product_id, product.shop_id, ProductStatus.ARCHIVED, at)
        self._outbox.add(body, aggregate_version=product.version)

    async def stock_moved(self, moved: Sequence[StockMoved], in_flow: InFlow = same_flow) -> None:
        """One StockChanged per variant and reason, in its checkout's flow; StockRanOut where the last unit went."""
        for each in latest_moves(moved):
            with in_flow(each.checkout_id):
                self._outbox.add(_stock_changed(each), aggregate_version=each.version)
        ran_out = [each for each in moved if each.ran_out]
        if not ran_out:
            return
        sellers = await self._products.sellers({each.product_id for each in ran_out})
        for each in ran_out:
            seller_id, title = sellers[each.product_id]
            with in_flow(each.checkout_id):
                self._outbox.add(_stock_ran_out(each, seller_id, title))

    def order_placed(self, placement: OrderPlacement, at: datetime) -> None:
        order, totals = placement.order, placement.totals
        self._outbox.add(
            order_pb2.OrderPlaced(
                **_identity(order),
                lines=[
                    order_pb2.OrderLine(
                        line_id=str(line.id),
                        product_id=str(line.product_id),
                        variant_id=str(line.variant_id),
                        sku=line.sku,
                        title=line.title,
                        quantity=line.quantity,
                        unit_price=_money(line.unit_price_minor, order.currency),
                        line_total=_money(line_totals.total_minor, order.currency),
                    )
                    for line, line_totals in zip(placement.lines, totals.lines, strict=True)
                ],
                subtotal=_money(totals.subtotal_minor, order.currency),
                discount=_money(totals.discount_minor, order.currency),
                tax=_money(totals.tax_minor, order.currency),
                shipping=_money(totals.shipping_minor, order.currency),
                total=_money(order.total_minor, order.currency),
                country=order.country,
                placed_at=timestamp_of(at),
            ),
            aggregate_version=order.facts[0].version,
        )

    def order_moved(self, order: Order) -> None:
        """The events of the facts that are new."""
        for fact in order.facts:
            body = _fact_body(order, fact)
            if body is not None:
                self._outbox.add(body, aggregate_version=fact.version)

    def start_payment(self, checkout: Checkout, orders: Sequence[Order], wallet_id: WalletId | None) -> None:
        """Of the orders those that cost something: nothing of nought is held, captured or settled."""
        self._outbox.add(
            commands_pb2.StartOrderPayment(
                checkout_id=str(checkout.id),
                buyer_id=str(checkout.buyer_id),
                wallet_id=str(wallet_id) if wallet_id else "",
                total=_money(checkout.total_minor, checkout.currency),
                orders=[
                    commands_pb2.OrderToPay(
                        order_id=str(order.id),
                        shop_id=str(order.shop_id),
                        seller_id=str(order.seller_id),
                        total=_money(order.total_minor, order.currency),
                    )
                    for order in orders
                    if order.total_minor
                ],
            )
        )

    def cancel_payment(self, checkout: Checkout, reason: str) -> None:
        self._outbox.add(commands_pb2.CancelOrderPayment(checkout_id=str(checkout.id), reason=reason))


def _withdrawn(
    product_id: ProductId, shop_id: ShopId, status: ProductStatus, at: datetime
) -> product_pb2.ProductWithdrawn:
    return product_pb2.ProductWithdrawn(
        product_id=str(product_id), shop_id=str(shop_id), status=status, at=timestamp_of(at)
    )


def _stock_changed(moved: StockMoved) -> stock_pb2.StockChanged:
    return stock_pb2.StockChanged(
        variant_id=str(moved.variant_id),
        product_id=str(moved.product_id),
        shop_id=str(moved.shop_id),
        on_hand=moved.on_hand,
        reserved=moved.reserved,
        reason=moved.movement,
        changed_at=timestamp_of(moved.at),
    )


def _stock_ran_out(moved: StockMoved, seller_id: UserId, title: str) -> stock_pb2.StockRanOut:
    return stock_pb2.StockRanOut(
        variant_id=str(moved.variant_id),
        product_id=str(moved.product_id),
        shop_id=str(moved.shop_id),
        seller_id=str(seller_id),
        title=title,
        at=timestamp_of(moved.at),
    )


def _fact_body(order: Order, fact: OrderFact) -> Any:
    at = timestamp_of(fact.at)
    total = _money(order.total_minor, order.currency)
    match fact.kind:
        case FactKind.CONFIRMED:
            return order_pb2.OrderConfirmed(**_identity(order), total=total, confirmed_at=at)
        case FactKind.PAID:
            return order_pb2.OrderPaid(**_identity(order), total=total, paid_at=at)
        case FactKind.CANCELLED:
            return order_pb2.OrderCancelled(
                **_identity(order), total=total, reason_code=fact.reason_code, cancelled_at=at
            )
        case FactKind.PROCESSING | FactKind.SHIPPED | FactKind.DELIVERED:
            return order_pb2.OrderStatusChanged(
                **_identity(order), status=fact.kind, previous_status=fact.previous_status, changed_at=at
            )
        case _:
            return None


def _identity(order: Order) -> Mapping[str, str]:
    return {
        "order_id": str(order.id),
        "order_number": order.number,
        "checkout_id": str(order.checkout_id),
        "buyer_id": str(order.buyer_id),
        "shop_id": str(order.shop_id),
        "shop_name": order.shop_name,
        "seller_id": str(order.seller_id),
    }


def _money(amount_minor: int, currency: Currency) -> money_pb2.Money:
    return money_message_of(Money(amount_minor, currency))
