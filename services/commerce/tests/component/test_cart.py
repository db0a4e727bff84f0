"""A cart is one person's, on any number of devices at once: consumed once, nothing lost, never over its limit.

Each race is run once more without the lock (``UnlockedAccounts``), where it must go wrong: else it proves nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.adapters.account_store import AccountStore
from commerce.adapters.cart_store import CartStore
from commerce.adapters.transaction import CommerceTx
from commerce.domain.cart import ITEMS_MAX, CartFullError, CartItem
from commerce.domain.ids import UserId, VariantId
from commerce.domain.order import EmptyOrderError
from commerce.usecases.place_order import PlaceOrder, place_order
from commerce.usecases.put_in_cart import PutInCart, put_in_cart
from commerce.wiring import App
from kernel.errors import DomainError
from kernel.money import AMOUNT_MINOR_MAX

pytestmark = pytest.mark.component
Begin = Callable[[], Any]


class UnlockedAccounts(AccountStore):
    """The negative control."""

    async def lock(self, user_id: UserId) -> None:
        await self._conn.execute("SELECT $1::text", str(user_id))


class SlowCarts(CartStore):
    """Reads, and lets the others read too before anything is decided."""

    async def items(self, user_id: UserId) -> list[CartItem]:
        found = await super().items(user_id)
        await asyncio.sleep(0.1)
        return found


def beginning(app: App, *, locked: bool, slow: bool = True) -> Begin:
    """Transactions that race for sure, with the lock or without it."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[CommerceTx]:
        async with app.begin() as tx:
            accounts = AccountStore if locked else UnlockedAccounts
            carts = SlowCarts if slow else CartStore
            yield dataclasses.replace(tx, carts=carts(tx.conn), accounts=accounts(tx.conn))

    return begin


async def at_once(*acts: Any) -> list[Any]:
    """What each came to: its answer, or its refusal."""
    return list(await asyncio.gather(*acts, return_exceptions=True))


async def put(begin: Begin, user_id: UserId, variant_id: VariantId, quantity: int = 1) -> None:
    async with begin() as tx:
        await put_in_cart(PutInCart(user_id=user_id, variant_id=variant_id, quantity=quantity), tx)


async def order_cart(begin: Begin, user_id: UserId) -> Any:
    async with begin() as tx:
        return await place_order(PlaceOrder(buyer_id=user_id, language="en", lines=None), tx)


async def cart_of(app: App, user_id: UserId) -> dict[VariantId, int]:
    async with app.database.read() as conn:
        return {item.variant_id: item.quantity for item in await CartStore(conn).items(user_id)}


def variants_of(product: Any) -> list[VariantId]:
    return [VariantId(UUID(each["variant_id"])) for each in product["variants"]]


async def many_variants(seller: Any, shop: Any, count: int) -> list[VariantId]:
    made: list[VariantId] = []
    while len(made) < count:
        names = [str(number) for number in range(min(50, count - len(made)))]
        price = {"amount_minor": 100, "currency": shop["currency"]}
        product = await seller.add_product(
            shop,
            options=[{"name": "n", "values": names}],
            variants=[{"sku": uuid4().hex, "options": {"n": name}, "price": price, "on_hand": 5} for name in names],
        )
        made += variants_of(product)
    return made


async def ordered_from_two_devices(app: App, product: Any, *, locked: bool) -> list[Any]:
    user_id, [variant_id] = UserId(uuid4()), variants_of(product)
    begin = beginning(app, locked=locked)
    await put(begin, user_id, variant_id)
    return await at_once(order_cart(begin, user_id), order_cart(begin, user_id))


async def test_a_cart_is_ordered_once(app: App, product: Any) -> None:
    answers = await ordered_from_two_devices(app, product, locked=True)
    assert sorted(isinstance(answer, EmptyOrderError) for answer in answers) == [False, True]


async def test_negative_control_without_the_lock_it_is_ordered_twice(app: App, product: Any) -> None:
    answers = await ordered_from_two_devices(app, product, locked=False)
    assert not any(isinstance(answer, Exception) for answer in answers)


async def more_is_put_while_it_is_ordered(app: App, product: Any, *, locked: bool) -> int:
    """The units that are ordered or still in the cart, of the two and then five that somebody meant to have."""
    user_id, [variant_id] = UserId(uuid4()), variants_of(product)
    begin = beginning(app, locked=locked)
    await put(begin, user_id, variant_id, 2)
    ordering = asyncio.create_task(order_cart(begin, user_id))
    await asyncio.sleep(0.03)
    putting = asyncio.create_task(put(beginning(app, locked=locked, slow=False), user_id, variant_id, 5))
    placed = await ordering
    await putting
    return sum(placed.checkout.demand.values()) + (await cart_of(app, user_id)).get(variant_id, 0)


async def test_what_is_put_in_during_the_order_stays_in(app: App, product: Any) -> None:
    assert await more_is_put_while_it_is_ordered(app, product, locked=True) == 2 + 5


async def test_negative_control_without_the_lock_it_is_lost(app: App, product: Any) -> None:
    assert await more_is_put_while_it_is_ordered(app, product, locked=False) == 2


async def filled_at_once(app: App, seller: Any, shop: Any, *, locked: bool) -> tuple[int, list[Any]]:
    user_id = UserId(uuid4())
    begin = beginning(app, locked=locked)
    variants = await many_variants(seller, shop, ITEMS_MAX + 6)
    for variant_id in variants[: ITEMS_MAX - 2]:
        await put(app.begin, user_id, variant_id)
    answers = await at_once(*(put(begin, user_id, variant_id) for variant_id in variants[ITEMS_MAX - 2 :]))
    return len(await cart_of(app, user_id)), answers


async def test_a_cart_never_holds_more_than_it_may(app: App, seller: Any, shop: Any) -> None:
    held, answers = await filled_at_once(app, seller, shop, locked=True)
    assert held == ITEMS_MAX
    assert sum(isinstance(answer, CartFullError) for answer in answers) == len(answers) - 2


async def test_negative_control_without_the_lock_it_is_over_full(app: App, seller: Any, shop: Any) -> None:
    held, _ = await filled_at_once(app, seller, shop, locked=False)
    assert held > ITEMS_MAX


async def test_a_cart_that_was_over_full_before_is_not_ordered(app: App, seller: Any, shop: Any) -> None:
    user_id = UserId(uuid4())
    async with app.begin() as tx:
        offers = await tx.products.offers(await many_variants(seller, shop, ITEMS_MAX + 1))
        for variant_id, offer in offers.items():
            await tx.carts.put(user_id, CartItem(variant_id=variant_id, quantity=1, price=offer.price), tx.now)
    with pytest.raises(CartFullError):
        await order_cart(app.begin, user_id)


async def test_two_devices_over_http(buyer: Any, product: Any) -> None:
    await buyer.call("PUT", f"/v1/cart/items/{product['variants'][0]['variant_id']}", {"quantity": 1})
    answers = await asyncio.gather(buyer.order(), buyer.order())
    assert sorted(answer.status for answer in answers) == [202, 422]
    assert [answer.code for answer in answers if answer.status == 422] == ["commerce.order.empty"]


@pytest.mark.parametrize(("price_minor", "quantity"), [(AMOUNT_MINOR_MAX, 2), (AMOUNT_MINOR_MAX // 5_000, 9_999)])
async def test_a_price_of_before_there_was_a_bound_breaks_no_cart(
    *, app: App, buyer: Any, people: Any, product: Any, price_minor: int, quantity: int
) -> None:
    [variant_id] = variants_of(product)
    cheap = await (other := people()).add_product(await other.open_shop(), price_minor=100)
    assert (await buyer.call("PUT", f"/v1/cart/items/{variant_id}", {"quantity": quantity})).status == 200
    async with app.database.begin() as conn:
        await conn.execute("UPDATE variant SET price_minor = $2 WHERE id = $1", variant_id, price_minor)
    cart = await buyer.get("/v1/cart")
    assert cart.status == 200
    assert cart.body["subtotals"] == []
    assert cart.body["items"][0]["price_now"]["amount_minor"] == price_minor
    again = await buyer.call("PUT", f"/v1/cart/items/{variant_id}", {"quantity": quantity})
    assert (again.status, again.code) == (422, "commerce.order.total_too_large")
    assert (
        await buyer.call("PUT", f"/v1/cart/items/{cheap['variants'][0]['variant_id']}", {"quantity": 1})
    ).status == 200
    assert (await buyer.order()).code == "commerce.cart.price_changed"
    assert (await buyer.order((str(variant_id), quantity))).code == "commerce.order.total_too_large"
    assert (await buyer.call("DELETE", f"/v1/cart/items/{variant_id}")).status == 200
    assert (await buyer.order()).status == 202


async def test_a_seen_price_counts_with_its_currency(buyer: Any, product: Any) -> None:
    variant_id = product["variants"][0]["variant_id"]
    right = product["variants"][0]["price"]

    def line(**seen: Any) -> dict[str, Any]:
        return {"lines": [{"variant_id": variant_id, "quantity": 1, "seen_price": {**right, **seen}}]}

    for seen in ({"currency": "VND"}, {"currency": "USD"}, {"amount_minor": right["amount_minor"] - 1}):
        refused = await buyer.order(**line(**seen))
        assert (refused.status, refused.code) == (409, "commerce.cart.price_changed")
        assert refused.body["context"]["price"] == right
    assert (await buyer.order(**line())).status == 202


async def test_at_most_so_many_of_a_variant_on_all_lines_together(seller: Any, shop: Any, buyer: Any) -> None:
    variant_id = (await seller.add_product(shop, on_hand=9_999))["variants"][0]["variant_id"]
    assert (await buyer.order((variant_id, 9_998), (variant_id, 1))).status == 202
    refused = await buyer.order((variant_id, 9_999), (variant_id, 1))
    assert (refused.status, refused.code) == (422, "commerce.order.quantity_too_large")


async def test_one_who_waits_gets_an_answer_and_no_error(app: App, product: Any) -> None:
    """Eight devices, one cart."""
    user_id, [variant_id] = UserId(uuid4()), variants_of(product)
    await put(app.begin, user_id, variant_id)
    answers = await at_once(*(order_cart(beginning(app, locked=True), user_id) for _ in range(8)))
    refused = [answer for answer in answers if isinstance(answer, DomainError)]
    assert [type(answer) for answer in refused] == [EmptyOrderError] * 7
