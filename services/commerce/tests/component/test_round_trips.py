"""What an order costs in round trips, and for how many of them its stock is locked."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from commerce.domain.ids import UserId, VariantId
from commerce.domain.offer import WantedLine
from commerce.usecases.place_order import PlaceOrder, place_order
from commerce.wiring import App
from commerce_testing.people import Person, variant_of

pytestmark = pytest.mark.component


async def test_the_stock_of_an_order_is_locked_for_one_statement_and_the_commit(
    app: App, seller: Person, shop: Any
) -> None:
    product = await seller.add_product(shop)
    asked: list[str] = []
    lines = [WantedLine(variant_id=VariantId(UUID(variant_of(product))), quantity=1)]
    async with app.begin() as tx:
        conn: Any = tx.conn
        conn.add_query_logger(lambda record: asked.append(record.query))
        placed = await place_order(PlaceOrder(buyer_id=UserId(uuid4()), language="en", lines=lines), tx)
    await asyncio.sleep(0)  # loggers are called soon
    locks = [number for number, query in enumerate(asked) if "CROSS JOIN stock" in query]
    assert len(locks) == 1
    [written, *rest] = asked[locks[0] + 1 :]
    for table in ("checkout", "orders", "order_line", "order_fact", "stock_hold", "stock_movement", "commerce.outbox"):
        assert f"INSERT INTO {table} " in written
    assert [query.rstrip(";") for query in rest] == ["COMMIT"]
    assert len(asked) <= 5  # offers, numbers, stock, all that is written, commit
    async with app.database.read() as conn:
        assert await conn.fetchval("SELECT count(*) FROM orders WHERE checkout_id = $1", placed.checkout.id) == 1
