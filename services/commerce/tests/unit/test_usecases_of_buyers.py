"""Every branch of what buyers ask for, and of what sellers do with their orders, on stores in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.domain.account import AccountEndedError
from commerce.domain.cart import (
    ITEMS_MAX,
    QUANTITY_MAX,
    CartFullError,
    CartItem,
    NotForSaleError,
    Price,
    PriceChangedError,
)
from commerce.domain.checkout import CurrenciesMixedError, QuantityTooLargeError, StockState
from commerce.domain.ids import OrderId, ShopId, VariantId, WalletId
from commerce.domain.offer import WantedLine
from commerce.domain.order import (
    EmptyOrderError,
    FulfilmentRefusedError,
    OrderNotCancellableError,
    OrderNotFoundError,
    OrderStatus,
    PaymentStatus,
)
from commerce.domain.product import Product, ProductStatus, VariantNotFoundError
from commerce.domain.shop import NotShopOwnerError, ShopStatus
from commerce.domain.stock import Movement, SoldOutError
from commerce.domain.totals import TotalTooLargeError
from commerce.usecases.fulfil_order import FulfilOrder, fulfil_order
from commerce.usecases.place_order import PlaceOrder, place_order
from commerce.usecases.put_in_cart import PutInCart, put_in_cart
from commerce.usecases.request_cancel import RequestCancel, request_cancel
from commerce.usecases.take_from_cart import TakeFromCart, take_from_cart
from commerce_testing.builders import BUYER, NOW, SELLER, STRANGER, a_product, a_shop, a_variant
from commerce_testing.fakes import FakeTx
from kernel.country import Country
from kernel.money import AMOUNT_MINOR_MAX, Currency

OTHER_SHOP = ShopId(UUID(int=902))


@pytest.fixture
def tx() -> FakeTx:
    return FakeTx()


@pytest.fixture
def product(tx: FakeTx) -> Product:
    return tx.put_on_sale(a_product(), a_shop())


def variant_of(product: Product) -> VariantId:
    return product.variants[0].id


def line(product: Product, quantity: int = 1, seen: Price | None = None) -> WantedLine:
    return WantedLine(variant_id=variant_of(product), quantity=quantity, seen_price=seen)


def order_of(*lines: WantedLine, **parts: Any) -> PlaceOrder:
    return PlaceOrder(buyer_id=BUYER, language="en", lines=lines or None, **parts)


def baht(amount_minor: int) -> Price:
    return Price(amount_minor=amount_minor, currency=Currency.THB)


class TestPutInCart:
    @staticmethod
    def command(variant_id: VariantId, quantity: int = 2) -> PutInCart:
        return PutInCart(user_id=BUYER, variant_id=variant_id, quantity=quantity)

    async def test_at_the_price_of_now(self, tx: FakeTx, product: Product) -> None:
        await put_in_cart(self.command(variant_of(product)), tx)
        expected = CartItem(variant_id=variant_of(product), quantity=2, price=baht(10_000))
        assert await tx.carts.items(BUYER) == [expected]

    async def test_not_what_is_not_there_or_not_for_sale_or_costs_too_much(self, tx: FakeTx) -> None:
        gone = tx.put_on_sale(a_product(status=ProductStatus.DISCONTINUED), a_shop())
        dear = tx.put_on_sale(a_product(a_variant(price_minor=AMOUNT_MINOR_MAX)), a_shop())
        for variant_id, refusal in (
            (VariantId(uuid4()), VariantNotFoundError),
            (variant_of(gone), NotForSaleError),
            (variant_of(dear), TotalTooLargeError),
        ):
            with pytest.raises(refusal):
                await put_in_cart(self.command(variant_id), tx)
        assert await tx.carts.items(BUYER) == []

    async def test_a_full_cart_takes_only_what_is_in_it(self, tx: FakeTx, product: Product) -> None:
        other = tx.put_on_sale(a_product(), a_shop())
        for variant_id in (variant_of(product), *(VariantId(UUID(int=n)) for n in range(1, ITEMS_MAX))):
            await tx.carts.put(BUYER, CartItem(variant_id=variant_id, quantity=1, price=baht(1)), NOW)
        with pytest.raises(CartFullError):
            await put_in_cart(self.command(variant_of(other)), tx)
        await put_in_cart(self.command(variant_of(product)), tx)
        assert len(await tx.carts.items(BUYER)) == ITEMS_MAX

    async def test_not_for_whose_account_ended(self, tx: FakeTx, product: Product) -> None:
        tx.accounts.ended[BUYER] = NOW
        with pytest.raises(AccountEndedError):
            await put_in_cart(self.command(variant_of(product)), tx)

    async def test_what_is_taken_out_is_gone_and_what_was_not_in_too(self, tx: FakeTx, product: Product) -> None:
        command = TakeFromCart(user_id=BUYER, variant_id=variant_of(product))
        await put_in_cart(self.command(variant_of(product)), tx)
        for _ in range(2):
            await take_from_cart(command, tx)
            assert await tx.carts.items(BUYER) == []


class TestPlaceOrder:
    async def test_lines_given(self, tx: FakeTx, product: Product) -> None:
        wallet_id = WalletId(uuid4())
        placed = await place_order(order_of(line(product, 2, baht(10_000)), note="soon", wallet_id=wallet_id), tx)
        [placement] = placed.placements
        assert (placed.checkout.total_minor, placement.order.total_minor, placement.note) == (20_000, 20_000, "soon")
        assert placed.checkout.demand == {variant_of(product): 2}
        assert tx.orders.checkouts == {placed.checkout.id: placed.checkout}
        assert tx.events.sent == [
            ("order_placed", placement.order.id),
            ("start_payment", placed.checkout.id),
            ("stock_reserved", variant_of(product)),
        ]
        assert (tx.events.wallet_id, tx.accounts.locked) == (wallet_id, [])

    async def test_its_stock_is_held_for_a_quarter_of_an_hour(self, tx: FakeTx, product: Product) -> None:
        placed = await place_order(order_of(line(product, 2)), tx)
        [hold] = tx.stock.holds.values()
        assert (hold.checkout_id, hold.quantity) == (placed.checkout.id, 2)
        assert hold.expires_at == NOW + timedelta(minutes=15)
        assert placed.checkout.stock_state is StockState.HELD
        assert tx.stock.items[variant_of(product)].available == 8

    @pytest.mark.parametrize("price_minor", [10_000, 0])
    async def test_its_stock_is_locked_last_of_all_that_is_asked(
        self, tx: FakeTx, monkeypatch: pytest.MonkeyPatch, price_minor: int
    ) -> None:
        """So that a product that everybody wants is locked for the writes and the commit alone."""
        hot = tx.put_on_sale(a_product(a_variant(price_minor=price_minor)), a_shop())
        await put_in_cart(PutInCart(user_id=BUYER, variant_id=variant_of(hot), quantity=1), tx)
        lock, before = tx.stock.lock_wanted, []

        async def note_and_lock(demand: Any, now: Any) -> Any:
            before.append((len(tx.orders.checkouts), await tx.carts.items(BUYER), tx.events.names()))
            return await lock(demand, now)

        monkeypatch.setattr(tx.stock, "lock_wanted", note_and_lock)
        await place_order(order_of(), tx)
        [(stored, left_in_cart, told)] = before
        assert (stored, left_in_cart) == (0, [])
        assert len(tx.orders.checkouts) == 1
        assert told == [each for each in tx.events.names() if not each.startswith("stock_")]

    async def test_sold_out_says_of_what_and_holds_nothing(self, tx: FakeTx, product: Product) -> None:
        rare = tx.put_on_sale(a_product(), a_shop(), on_hand=1)
        with pytest.raises(SoldOutError) as refused:
            await place_order(order_of(line(product), line(rare, 2)), tx)
        assert refused.value.context == {"variant_ids": [str(variant_of(rare))]}
        assert (tx.stock.holds, tx.stock.moved) == ({}, [])
        await place_order(order_of(line(product), line(rare)), tx)

    async def test_a_hold_whose_time_is_over_is_reclaimed(self, tx: FakeTx) -> None:
        last = tx.put_on_sale(a_product(), a_shop(), on_hand=1)
        first = await place_order(order_of(line(last)), tx)
        tx.now = NOW + timedelta(minutes=15, seconds=-1)
        with pytest.raises(SoldOutError):
            await place_order(order_of(line(last)), tx)
        tx.now = NOW + timedelta(minutes=15)
        second = await place_order(order_of(line(last)), tx)
        [hold] = tx.stock.holds.values()
        assert hold.checkout_id == second.checkout.id != first.checkout.id

    async def test_the_cart_which_is_empty_then_but_for_what_was_not_ordered(
        self, tx: FakeTx, product: Product
    ) -> None:
        await put_in_cart(PutInCart(user_id=BUYER, variant_id=variant_of(product), quantity=3), tx)
        placed = await place_order(order_of(), tx)
        assert placed.checkout.demand == {variant_of(product): 3}
        assert await tx.carts.items(BUYER) == []
        with pytest.raises(EmptyOrderError):
            await place_order(order_of(), tx)

    async def test_given_lines_leave_the_cart_alone(self, tx: FakeTx, product: Product) -> None:
        await put_in_cart(PutInCart(user_id=BUYER, variant_id=variant_of(product), quantity=3), tx)
        await place_order(order_of(line(product)), tx)
        assert len(await tx.carts.items(BUYER)) == 1

    async def test_one_order_per_shop(self, tx: FakeTx, product: Product) -> None:
        other = tx.put_on_sale(a_product(shop_id=OTHER_SHOP), a_shop(id=OTHER_SHOP))
        placed = await place_order(order_of(line(product), line(other), line(product)), tx)
        assert {each.order.shop_id: [one.quantity for one in each.lines] for each in placed.placements} == {
            product.shop_id: [2],
            OTHER_SHOP: [1],
        }
        assert len({each.order.number for each in placed.placements}) == 2
        assert tx.events.names() == [
            "order_placed",
            "order_placed",
            "start_payment",
            "stock_reserved",
            "stock_reserved",
        ]

    async def test_what_costs_nothing_is_confirmed_at_once(self, tx: FakeTx) -> None:
        gift = tx.put_on_sale(a_product(a_variant(price_minor=0)), a_shop(), on_hand=1)
        placed = await place_order(order_of(line(gift)), tx)
        [placement] = placed.placements
        assert (placement.order.status, placement.order.payment_status) == (
            OrderStatus.CONFIRMED,
            PaymentStatus.NOT_REQUIRED,
        )
        assert placed.checkout.stock_state is StockState.TAKEN
        assert tx.stock.items[variant_of(gift)].on_hand == 0
        assert tx.events.names()[0] == "order_placed"
        assert {"order_confirmed", "stock_sold"} <= set(tx.events.names())
        assert "start_payment" not in tx.events.names()
        with pytest.raises(SoldOutError):
            await place_order(order_of(line(gift)), tx)
        assert tx.stock.holds == {}

    async def test_a_gift_beside_what_is_paid_waits_with_it(self, tx: FakeTx, product: Product) -> None:
        gift = tx.put_on_sale(a_product(a_variant(price_minor=0)), a_shop())
        placed = await place_order(order_of(line(product), line(gift)), tx)
        assert {each.order.status for each in placed.placements} == {OrderStatus.PENDING}
        assert {each.movement for each in tx.stock.moved} == {Movement.RESERVED}

    async def test_refused_without_a_trace(self, tx: FakeTx, product: Product) -> None:
        shop = a_shop(id=OTHER_SHOP, country=Country.VN, currency=Currency.VND)
        foreign = tx.put_on_sale(a_product(shop_id=OTHER_SHOP, currency=Currency.VND), shop)
        closed = tx.put_on_sale(
            a_product(shop_id=ShopId(UUID(int=903))), a_shop(id=ShopId(UUID(int=903)), status=ShopStatus.CLOSED)
        )
        dear = tx.put_on_sale(a_product(a_variant(price_minor=AMOUNT_MINOR_MAX)), a_shop())
        unknown = WantedLine(variant_id=VariantId(uuid4()), quantity=1)
        stored = dict(tx.orders.checkouts)
        for lines, refusal in (
            ([line(product)] * (ITEMS_MAX + 1), CartFullError),
            ([line(product, QUANTITY_MAX), line(product)], QuantityTooLargeError),
            ([unknown], VariantNotFoundError),
            ([line(closed)], NotForSaleError),
            ([line(product, seen=baht(9_999))], PriceChangedError),
            ([line(product, seen=Price(amount_minor=10_000, currency=Currency.VND))], PriceChangedError),
            ([line(product), line(foreign)], CurrenciesMixedError),
            ([line(dear, 2)], TotalTooLargeError),
            ([line(dear), line(product)], TotalTooLargeError),
        ):
            with pytest.raises(refusal):
                await place_order(order_of(*lines), tx)
        with pytest.raises(EmptyOrderError):
            await place_order(PlaceOrder(buyer_id=BUYER, language="en", lines=[]), tx)
        assert (tx.orders.checkouts, tx.events.sent) == (stored, [])

    async def test_two_shops_together_are_too_dear(self, tx: FakeTx) -> None:
        dear = [
            tx.put_on_sale(a_product(a_variant(price_minor=AMOUNT_MINOR_MAX), shop_id=shop_id), a_shop(id=shop_id))
            for shop_id in (ShopId(UUID(int=901)), OTHER_SHOP)
        ]
        with pytest.raises(TotalTooLargeError):
            await place_order(order_of(*map(line, dear)), tx)
        assert tx.orders.checkouts == {}

    async def test_no_cart_for_whose_account_ended(self, tx: FakeTx) -> None:
        tx.accounts.ended[BUYER] = NOW
        with pytest.raises(AccountEndedError):
            await place_order(order_of(), tx)


async def placed_order(tx: FakeTx, product: Product) -> OrderId:
    placed = await place_order(order_of(line(product)), tx)
    tx.events.sent.clear()
    return placed.placements[0].order.id


class TestRequestCancel:
    async def test_granted_once(self, tx: FakeTx, product: Product) -> None:
        order_id = await placed_order(tx, product)
        for _ in range(2):
            await request_cancel(RequestCancel(order_id=order_id, buyer_id=BUYER), tx)
        [checkout] = tx.orders.checkouts.values()
        assert checkout.cancel_requested_at == NOW
        assert tx.orders.orders[order_id].version == 2
        assert tx.events.sent == [("cancel_payment", checkout.id)]

    async def test_not_for_others_and_not_of_what_is_confirmed(self, tx: FakeTx, product: Product) -> None:
        order_id = await placed_order(tx, product)
        for user_id, wanted in ((STRANGER, order_id), (SELLER, order_id), (BUYER, OrderId(uuid4()))):
            with pytest.raises(OrderNotFoundError):
                await request_cancel(RequestCancel(order_id=wanted, buyer_id=user_id), tx)
        [checkout] = tx.orders.checkouts.values()
        tx.orders.checkouts[checkout.id] = replace(checkout, stock_state=StockState.TAKEN)
        with pytest.raises(OrderNotCancellableError):
            await request_cancel(RequestCancel(order_id=order_id, buyer_id=BUYER), tx)
        assert tx.events.sent == []


class TestFulfilOrder:
    @staticmethod
    def command(order_id: OrderId, user_id: Any = SELLER) -> FulfilOrder:
        return FulfilOrder(order_id=order_id, user_id=user_id, status=OrderStatus.PROCESSING)

    async def test_one_step_on_once(self, tx: FakeTx, product: Product) -> None:
        order_id = await placed_order(tx, product)
        paid = replace(
            tx.orders.orders[order_id], status=OrderStatus.CONFIRMED, payment_status=PaymentStatus.PAID, version=3
        )
        tx.orders.orders[order_id] = paid
        for _ in range(2):
            order = await fulfil_order(self.command(order_id), tx)
            assert (order.status, order.version) == (OrderStatus.PROCESSING, 4)
        assert tx.events.sent == [("order_processing", order_id)]
        assert tx.orders.saved == [order_id, order_id]  # when it was placed, and once since

    async def test_refused(self, tx: FakeTx, product: Product) -> None:
        order_id = await placed_order(tx, product)
        for command, refusal in (
            (self.command(OrderId(uuid4())), OrderNotFoundError),
            (self.command(order_id, STRANGER), OrderNotFoundError),
            (self.command(order_id, BUYER), NotShopOwnerError),
            (self.command(order_id), FulfilmentRefusedError),
        ):
            with pytest.raises(refusal):
                await fulfil_order(command, tx)
        assert tx.events.sent == []
