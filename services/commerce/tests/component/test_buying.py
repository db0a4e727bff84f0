"""From a shop to a paid order, command by command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from commerce.domain.ids import CheckoutId
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.reserve_stock import ReserveStock
from commerce.wiring import App
from commerce_testing.people import variant_of
from commerce_testing.running import apply_commands, event_types, pay, pay_by_version_1
from commerce_testing.selling import stock_of

pytestmark = pytest.mark.component


@pytest.mark.parametrize("paid_by", [pay, pay_by_version_1])
async def test_an_order_from_placed_to_delivered(
    app: App, seller: Any, buyer: Any, product: Any, paid_by: Callable[[App, CheckoutId], Awaitable[None]]
) -> None:
    answer = await buyer.order((variant_of(product), 2), note="quickly, please")
    assert answer.status == 202
    checkout_id = CheckoutId(UUID(answer.body["checkout_id"]))
    assert answer.headers["Location"] == f"/v1/checkouts/{checkout_id}"
    [order] = answer.body["orders"]
    assert order["number"].startswith(f"TH-{app.clock.now():%y}-")
    assert (order["status"], order["payment_status"]) == ("pending", "pending")
    assert order["total"] == {"amount_minor": 20_000, "currency": "THB"}
    assert order["tax"]["amount_minor"] == 1_308
    assert order["lines"][0]["title"] == "Hand-woven silk scarf"
    assert await event_types(app, checkout_id) == ["StartOrderPayment"]

    stock = await seller.get(f"/v1/products/{product['product_id']}/variants/{variant_of(product)}/stock")
    assert (stock.body["on_hand"], stock.body["reserved"], stock.body["available"]) == (10, 2, 8)
    await paid_by(app, checkout_id)

    path = f"/v1/orders/{order['order_id']}"
    seen = (await buyer.get(f"{path}?wait_s=5")).body
    assert (seen["status"], seen["payment_status"]) == ("confirmed", "paid")
    for status in ("processing", "shipped", "delivered"):
        moved = await seller.make(f"{path}/fulfilment", {"status": status})
        assert moved["status"] == status
    timeline = (await buyer.get(f"{path}/timeline")).body["items"]
    assert [fact["kind"] for fact in timeline] == [
        "placed",
        "confirmed",
        "paid",
        "processing",
        "shipped",
        "delivered",
    ]
    assert await event_types(app, order["order_id"]) == [
        "OrderPlaced",
        "OrderConfirmed",
        "OrderPaid",
        "OrderStatusChanged",
        "OrderStatusChanged",
        "OrderStatusChanged",
    ]
    assert await event_types(app, variant_of(product)) == ["StockChanged", "StockChanged"]


async def test_a_compensated_order_tells_its_buyer_why(app: App, buyer: Any, product: Any) -> None:
    checkout_id = await buyer.place((variant_of(product), 1))
    assert await stock_of(app, product) == (10, 1)
    undo = CancelOrder(checkout_id=checkout_id, reason_code="payment.wallet.insufficient_funds")
    assert await apply_commands(app, *[undo] * 2) == [None, None]
    assert await stock_of(app, product) == (10, 0)
    seen = (await buyer.get(f"/v1/checkouts/{checkout_id}?wait_s=1", Accept_Language="id-ID,en;q=0.5")).body
    assert (seen["status"], seen["cancel_reason_code"]) == ("failed", "payment.wallet.insufficient_funds")
    assert seen["cancel_reason"].startswith("Saldo dompet")
    assert seen["orders"][0]["status"] == "cancelled"
    late = ReserveStock(checkout_id=checkout_id, hold_s=60), CompleteOrder(checkout_id=checkout_id)
    assert await apply_commands(app, *late) == ["commerce.checkout.released"] * 2
    assert await event_types(app, variant_of(product)) == ["StockChanged", "StockChanged"]
