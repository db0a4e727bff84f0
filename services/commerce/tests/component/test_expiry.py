"""Holds end by themselves: sellable within a second, swept or not; and never twice."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from commerce.__main__ import SERVICE
from commerce.domain.ids import CheckoutId, UserId, VariantId
from commerce.domain.offer import WantedLine
from commerce.domain.stock import HOLD, SoldOutError
from commerce.entrypoints.jobs import ItemsFailedError, sweep_holds
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.confirm_order import ConfirmOrder
from commerce.usecases.place_order import PlaceOrder, place_order
from commerce.usecases.release_stock import ReleaseStock
from commerce.wiring import App
from commerce_testing.people import variant_of
from commerce_testing.running import apply_commands, broken_invariants
from kernel.clock import FixedClock
from testkit.wait import eventually

pytestmark = pytest.mark.component


def at(app: App, now: datetime) -> App:
    return dataclasses.replace(app, clock=FixedClock(now))


@pytest_asyncio.fixture(loop_scope="session")
async def when_it_ended(app: App) -> AsyncIterator[TestClient[Any, Any]]:
    """The API at a time when a ``HOLD`` that begins in this test has ended."""
    later = at(app, app.clock.now() + 2 * HOLD)
    async with TestClient(TestServer(SERVICE.http(later))) as client:
        yield client


async def movements(app: App, product: Any) -> list[str]:
    async with app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT movement FROM stock_movement WHERE variant_id = $1 ORDER BY version", UUID(variant_of(product))
        )
    return [row["movement"] for row in rows]


async def test_an_expired_hold_is_sold_to_the_next_within_a_second_without_the_sweeper(
    app: App, seller: Any, buyer: Any, shop: Any
) -> None:
    product = await seller.add_product(shop, on_hand=1)
    lines = [WantedLine(variant_id=VariantId(UUID(variant_of(product))), quantity=1)]
    now = app.clock.now()
    before, after = (at(app, now + HOLD + timedelta(seconds=by_s)) for by_s in (-0.001, 0.999))

    async def place(app: App) -> CheckoutId:
        async with app.begin(buyer.id) as tx:
            command = PlaceOrder(buyer_id=UserId(buyer.id), language="en", lines=lines)
            return (await place_order(command, tx)).checkout.id

    first = await place(at(app, now))
    with pytest.raises(SoldOutError):
        await place(before)
    second = await place(after)
    for command in (CompleteOrder(checkout_id=first), ConfirmOrder(checkout_id=first)):
        assert await apply_commands(after, command) == ["commerce.stock.hold_expired"]
    assert await apply_commands(after, CompleteOrder(checkout_id=second)) == [None]
    assert await movements(app, product) == ["set", "reserved", "expired", "reserved", "sold"]


async def test_a_hold_past_its_time_that_nobody_needed_is_still_good(
    app: App, seller: Any, buyer: Any, shop: Any
) -> None:
    product = await seller.add_product(shop, on_hand=1)
    checkout_id = await buyer.place((variant_of(product), 1))
    after = at(app, app.clock.now() + 2 * HOLD)
    assert await apply_commands(after, CompleteOrder(checkout_id=checkout_id)) == [None]
    assert await movements(app, product) == ["set", "reserved", "sold"]


async def test_readers_see_it_available_at_once(
    app: App, seller: Any, buyer: Any, shop: Any, when_it_ended: Any
) -> None:
    product = await seller.add_product(shop, on_hand=1)
    path = f"/v1/products?shop_id={shop['shop_id']}&in_stock=true"
    await buyer.place((variant_of(product), 1))
    for client, available in ((buyer, 0), (buyer.at(when_it_ended), 1)):
        [variant] = (await client.get(f"/v1/products/{product['product_id']}")).body["variants"]
        assert variant["available"] == available
        assert len((await client.get(path)).body["items"]) == available
    assert await movements(app, product) == ["set", "reserved"]


async def test_the_sweeper_closes_them_and_a_late_release_finds_nothing(
    app: App, seller: Any, buyer: Any, shop: Any
) -> None:
    product = await seller.add_product(shop, on_hand=3)
    checkout_id = await buyer.place((variant_of(product), 2))
    await sweep_holds(app)
    assert await movements(app, product) == ["set", "reserved"]
    later = at(app, app.clock.now() + HOLD + timedelta(seconds=1))

    async def swept() -> bool:
        await sweep_holds(later)
        return await movements(app, product) == ["set", "reserved", "expired"]

    await eventually(swept)
    assert await apply_commands(app, ReleaseStock(checkout_id=checkout_id)) == [None]
    assert await movements(app, product) == ["set", "reserved", "expired"]


async def test_a_count_below_what_is_held_is_refused_until_the_hold_ends(
    app: App, seller: Any, buyer: Any, shop: Any, when_it_ended: Any
) -> None:
    product = await seller.add_product(shop, on_hand=5)
    stock = f"/v1/products/{product['product_id']}/variants/{variant_of(product)}/stock"
    await buyer.place((variant_of(product), 4))
    refused = await seller.call("PUT", stock, {"on_hand": 3}, If_Match="*")
    assert (refused.status, refused.code) == (409, "commerce.stock.below_reserved")
    assert (await seller.at(when_it_ended).call("PUT", stock, {"on_hand": 3}, If_Match="*")).status == 200
    assert await movements(app, product) == ["set", "reserved", "expired", "set"]


async def test_the_last_unit_sold_is_told_to_the_seller(app: App, seller: Any, buyer: Any, shop: Any) -> None:
    product = await seller.add_product(shop, on_hand=1)
    checkout_id = await buyer.place((variant_of(product), 1))
    await apply_commands(app, CompleteOrder(checkout_id=checkout_id))
    async with app.database.read() as conn:
        rows = await conn.fetch("SELECT type FROM outbox WHERE key = $1 ORDER BY id", variant_of(product))
    assert [row["type"].rpartition(".")[2] for row in rows] == ["StockChanged", "StockChanged", "StockRanOut"]


async def test_the_audit_speaks_when_something_is_wrong(app: App, product: Any) -> None:
    variant_id = UUID(variant_of(product))
    async with app.database.begin() as conn:
        await conn.execute("UPDATE stock SET on_hand = on_hand + 1 WHERE variant_id = $1", variant_id)
    try:
        assert await broken_invariants(app) == ["STK-3"]
    finally:
        async with app.database.begin() as conn:
            await conn.execute("UPDATE stock SET on_hand = on_hand - 1 WHERE variant_id = $1", variant_id)
    assert await broken_invariants(app) == []


async def test_a_hold_that_cannot_be_closed_keeps_no_other_waiting(
    app: App, seller: Any, buyer: Any, shop: Any
) -> None:
    good = await seller.add_product(shop)
    checkout_id = await buyer.place((variant_of(good), 1))
    later = at(app, app.clock.now() + 2 * HOLD)
    stray = UUID(int=checkout_id.int ^ 1)
    async with app.database.begin() as conn:  # of a variant without stock, and older than all others
        await conn.execute(
            "INSERT INTO stock_hold (checkout_id, variant_id, quantity, expires_at) VALUES ($1, $1, 1, $2)",
            stray,
            app.clock.now() - HOLD,
        )
    try:
        with pytest.raises(ItemsFailedError, match="sweep_holds: 1 of"):
            await sweep_holds(later)
        assert (await movements(app, good))[-1] == "expired"
    finally:
        async with app.database.begin() as conn:
            await conn.execute("DELETE FROM stock_hold WHERE checkout_id = $1", stray)
    await sweep_holds(later)
