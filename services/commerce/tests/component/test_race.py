"""Many buyers, few units: as many are sold as there are, and the same race without the lock proves the test.

``oversold`` is the detector. It must be quiet when commerce races as it is, and must speak in the negative
control: no row lock, and no CHECK that would save the day.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from commerce.adapters import stock_store
from commerce.adapters.order_store import OrderStore
from commerce.adapters.product_store import ProductStore
from commerce.domain.checkout import Checkout
from commerce.domain.ids import CheckoutId, OrderId, UserId, VariantId
from commerce.domain.offer import WantedLine
from commerce.domain.order import OrderNotCancellableError, OrderStatus
from commerce.domain.stock import SoldOutError
from commerce.usecases.apply_saga_commands import ApplySagaCommands, apply_saga_commands
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.fulfil_order import FulfilOrder, fulfil_order
from commerce.usecases.place_order import PlaceOrder, place_order
from commerce.usecases.release_stock import ReleaseStock
from commerce.usecases.request_cancel import RequestCancel, request_cancel
from commerce.usecases.reserve_stock import ReserveStock
from commerce.wiring import App
from commerce_testing.running import apply_commands, broken_invariants, pay
from commerce_testing.selling import on_sale, place_one, units_of
from kernel.money import Currency
from testkit.databases import ServiceDatabase

pytestmark = pytest.mark.component

UNITS, BUYERS, AT_ONCE = 100, 500, 16
Database = Callable[[str], Awaitable[ServiceDatabase]]


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_database(database: Database) -> ServiceDatabase:
    return await database("commerce")


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_app(fresh_database: ServiceDatabase, make_app: Any) -> AsyncIterator[App]:
    """A commerce of its own: the negative control breaks its data."""
    async with make_app(fresh_database.dsn) as app:
        yield app


async def checkouts_for(app: App, variant_id: VariantId, count: int) -> list[CheckoutId]:
    """Checkouts of one unit each, as placing would leave them."""
    made = []
    async with app.begin() as tx:
        for _ in range(count):
            checkout = Checkout(
                id=CheckoutId(uuid4()),
                buyer_id=UserId(uuid4()),
                currency=Currency.THB,
                total_minor=0,
                demand={variant_id: 1},
                placed_at=tx.now,
            )
            await tx.conn.execute(
                """
                INSERT INTO checkout (id, buyer_id, currency, total_minor, demand_variant_ids,
                                      demand_quantities, stock_state, payment_status, placed_at)
                VALUES ($1, $2, 'THB', 0, ARRAY[$3::uuid], ARRAY[1], 'none', 'pending', $4)
                """,
                checkout.id,
                checkout.buyer_id,
                variant_id,
                checkout.placed_at,
            )
            made.append(checkout.id)
    return made


async def race(app: App, variant_id: VariantId, *, at_the_door: bool) -> int:
    """Every buyer orders in a transaction of their own; how many were told they got their unit.

    ``at_the_door``: the order's own transaction holds the stock, as today; otherwise a ReserveStock of version 1 does.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def place() -> bool:
        with contextlib.suppress(SoldOutError):
            async with gate, app.begin() as tx:
                await place_one(variant_id, tx)
            return True
        return False

    async def reserve(checkout_id: CheckoutId) -> bool:
        async with gate, app.begin() as tx:
            command = ReserveStock(checkout_id=checkout_id, hold_s=600)
            [refusal] = await apply_saga_commands(ApplySagaCommands(commands=[command]), tx)
            assert refusal is None or isinstance(refusal, SoldOutError)
            return refusal is None

    if at_the_door:
        return sum(await asyncio.gather(*(place() for _ in range(BUYERS))))
    checkouts = await checkouts_for(app, variant_id, BUYERS)
    return sum(await asyncio.gather(*(reserve(each) for each in checkouts)))


async def oversold(app: App, variant_id: VariantId, told: int) -> list[str]:
    """Everything that is wrong after the race."""
    async with app.database.read() as conn:
        held = await conn.fetchval(
            "SELECT coalesce(sum(quantity), 0) FROM stock_hold WHERE variant_id = $1", variant_id
        )
    wrong = [name for name in await broken_invariants(app) if name.startswith("STK")]
    if held > UNITS:
        wrong.append(f"{held} units held of {UNITS}")
    if told > UNITS:
        wrong.append(f"{told} buyers told yes for {UNITS} units")
    if told < UNITS:
        wrong.append(f"only {told} of {UNITS} units sold")
    return wrong


AT_THE_DOOR = pytest.mark.parametrize("at_the_door", [True, False], ids=["as they order", "ReserveStock"])


@AT_THE_DOOR
async def test_exactly_as_many_as_there_are(fresh_app: App, *, at_the_door: bool) -> None:
    variant_id = await on_sale(fresh_app, on_hand=UNITS)
    told = await race(fresh_app, variant_id, at_the_door=at_the_door)
    assert told == UNITS
    assert await oversold(fresh_app, variant_id, told) == []
    if at_the_door:
        async with fresh_app.database.read() as conn:
            assert await conn.fetchval("SELECT count(*) FROM checkout") == UNITS, "who was refused left nothing"


async def test_two_buyers_of_the_last_unit(fresh_app: App) -> None:
    """Through the API's own way in: one is accepted, the other reads which variant it was."""
    variant_id = await on_sale(fresh_app, on_hand=1)

    async def place() -> object:
        try:
            async with fresh_app.begin() as tx:
                return await place_one(variant_id, tx)
        except SoldOutError as refusal:
            return refusal.context

    answers = await asyncio.gather(place(), place())
    assert {"variant_ids": [str(variant_id)]} in answers
    [checkout_id] = [answer for answer in answers if not isinstance(answer, dict)]
    assert await units_of(fresh_app, variant_id) == (1, 1)
    await pay(fresh_app, cast("CheckoutId", checkout_id))
    assert await units_of(fresh_app, variant_id) == (0, 0)
    assert await broken_invariants(fresh_app) == []


@AT_THE_DOOR
async def test_negative_control_without_the_lock_it_oversells(
    fresh_app: App, fresh_database: ServiceDatabase, monkeypatch: pytest.MonkeyPatch, *, at_the_door: bool
) -> None:
    variant_id = await on_sale(fresh_app, on_hand=UNITS)
    owner = await asyncpg.connect(fresh_database.owner_dsn)
    await owner.execute("ALTER TABLE stock DROP CONSTRAINT stk_1_reserved_on_hand")
    await owner.execute("ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_pkey")
    await owner.close()
    monkeypatch.setattr(stock_store, "LOCK", stock_store.LOCK.replace("FOR NO KEY UPDATE", ""))
    monkeypatch.setattr(stock_store, "LOCK_WANTED", stock_store.LOCK_WANTED.replace("FOR NO KEY UPDATE OF stock", ""))
    told = await race(fresh_app, variant_id, at_the_door=at_the_door)
    assert told > UNITS
    assert await oversold(fresh_app, variant_id, told) != []


async def test_baskets_that_cross_do_not_deadlock(fresh_app: App) -> None:
    """Each wants two of three products, listed in any order; batches and single commands at once."""
    variants = [await on_sale(fresh_app, on_hand=1_000) for _ in range(3)]
    pairs = [(a, b) for a in variants for b in variants if a != b]
    checkouts = []
    for _ in range(20):
        for first, second in pairs:
            [checkout_id] = await checkouts_for(fresh_app, first, 1)
            async with fresh_app.begin() as tx:
                await tx.conn.execute(
                    """
                    UPDATE checkout SET demand_variant_ids = $2, demand_quantities = ARRAY[1, 1] WHERE id = $1
                    """,
                    checkout_id,
                    [first, second],
                )
            checkouts.append(checkout_id)

    batches = [checkouts[start : start + 3] for start in range(0, len(checkouts), 3)]
    outcomes = await asyncio.gather(
        *(
            apply_commands(fresh_app, *(ReserveStock(checkout_id=each, hold_s=60) for each in batch))
            for batch in batches
        )
    )
    released = await asyncio.gather(
        *(apply_commands(fresh_app, *(ReleaseStock(checkout_id=each) for each in reversed(batch))) for batch in batches)
    )
    assert {outcome for each in (*outcomes, *released) for outcome in each} == {None}
    async with fresh_app.database.read() as conn:
        assert await conn.fetchval("SELECT sum(reserved) FROM stock WHERE variant_id = ANY($1)", variants) == 0


async def test_orders_that_cross_each_other_and_what_is_completed_or_cancelled_do_not_deadlock(fresh_app: App) -> None:
    """Two of three products in any order, while sagas' batches take and release the same ones."""
    variants = [await on_sale(fresh_app, on_hand=1_000) for _ in range(3)]
    pairs = [(a, b) for a in variants for b in variants if a != b]

    async def place(pair: tuple[VariantId, VariantId]) -> CheckoutId:
        lines = [WantedLine(variant_id=each, quantity=1) for each in pair]
        async with fresh_app.begin() as tx:
            command = PlaceOrder(buyer_id=UserId(uuid4()), language="en", lines=lines)
            return (await place_order(command, tx)).checkout.id

    waiting: list[CheckoutId] = []
    for _ in range(8):
        batch = [CompleteOrder(checkout_id=each) for each in waiting[::2]]
        undone = [CancelOrder(checkout_id=each, reason_code="buyer") for each in reversed(waiting[1::2])]
        placed, completed, cancelled = await asyncio.gather(
            asyncio.gather(*(place(pair) for pair in pairs * 2)),
            apply_commands(fresh_app, *batch),
            apply_commands(fresh_app, *undone),
        )
        assert {*completed, *cancelled} <= {None}
        waiting = list(placed)
    left = [await units_of(fresh_app, each) for each in variants]
    assert [reserved for _, reserved in left] == [8] * 3
    assert sum(on_hand for on_hand, _ in left) == 3_000 - 7 * len(pairs) * 2
    assert await broken_invariants(fresh_app) == []


async def test_cancel_against_completion_has_one_winner(app: App, seller: Any, shop: Any, people: Any) -> None:
    """Whoever is first wins, and the order is what the winner says."""
    product = await seller.add_product(shop, on_hand=1_000)
    variant_id = VariantId(UUID(product["variants"][0]["variant_id"]))
    winners = set()
    for turn in range(20):
        buyer_id = UserId(uuid4())
        async with app.begin() as tx:
            placed = await place_order(
                PlaceOrder(buyer_id=buyer_id, language="en", lines=[WantedLine(variant_id=variant_id, quantity=1)]),
                tx,
            )
        checkout_id, order_id = placed.checkout.id, placed.placements[0].order.id

        async def confirm(checkout_id: CheckoutId = checkout_id) -> bool:
            return await apply_commands(app, CompleteOrder(checkout_id=checkout_id)) == [None]

        async def cancel(order_id: Any = order_id, buyer_id: UserId = buyer_id) -> bool:
            with contextlib.suppress(OrderNotCancellableError):
                async with app.begin(buyer_id) as tx:
                    await request_cancel(RequestCancel(order_id=order_id, buyer_id=buyer_id), tx)
                return True
            return False

        # From neck and neck to a head start to the very end, so that each of them wins some turns on any machine.
        head_start_s = (0, 0.005, 0.01, 0.015, None)[turn // 2 % 5]
        early, late = (confirm, cancel) if turn % 2 else (cancel, confirm)
        first = asyncio.create_task(early())
        await asyncio.wait([first], timeout=head_start_s)
        results = await asyncio.gather(first, late())
        confirmed, cancelled = results if turn % 2 else reversed(results)
        assert confirmed != cancelled
        winners.add(confirmed)
        if cancelled:
            undo = CancelOrder(checkout_id=checkout_id, reason_code="commerce.order.cancel_requested")
            assert await apply_commands(app, undo) == [None]
    assert winners == {True, False}


async def placed_and_paid(app: App, buyer: Any, product: Any) -> tuple[OrderId, UserId]:
    """An order that its seller may move on."""
    checkout_id = await buyer.place((product["variants"][0]["variant_id"], 1))
    await pay(app, checkout_id)
    async with app.begin() as tx:
        [order] = await tx.orders.orders_of([checkout_id])
    return order.id, order.seller_id


async def moved_on_at_once(app: App, order_id: OrderId, seller_id: UserId) -> list[Any]:
    async def move() -> None:
        async with app.begin() as tx:
            await fulfil_order(FulfilOrder(order_id=order_id, user_id=seller_id, status=OrderStatus.PROCESSING), tx)
            await asyncio.sleep(0.02)

    return list(await asyncio.gather(*(move() for _ in range(8)), return_exceptions=True))


async def test_an_order_moved_on_from_two_devices_is_moved_once(app: App, buyer: Any, product: Any) -> None:
    order_id, seller_id = await placed_and_paid(app, buyer, product)
    assert await moved_on_at_once(app, order_id, seller_id) == [None] * 8
    async with app.database.read() as conn:
        facts = await conn.fetch("SELECT kind FROM order_fact WHERE order_id = $1 ORDER BY version", order_id)
    assert [fact["kind"] for fact in facts] == ["placed", "confirmed", "paid", "processing"]


async def test_negative_control_without_the_lock_they_collide(
    app: App, buyer: Any, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id, seller_id = await placed_and_paid(app, buyer, product)
    monkeypatch.setattr(OrderStore, "lock", OrderStore.get)
    assert any(isinstance(each, Exception) for each in await moved_on_at_once(app, order_id, seller_id))


async def changed_at_once(seller: Any, product: Any) -> set[int]:
    path = f"/v1/products/{product['product_id']}"
    answers = await asyncio.gather(
        *(seller.call("PATCH", path, {"tags": [f"tag {number}"]}, If_Match="*") for number in range(8))
    )
    return {answer.status for answer in answers}


async def test_whoever_changes_any_version_of_a_product_waits_and_is_not_refused(seller: Any, product: Any) -> None:
    assert await changed_at_once(seller, product) == {200}


async def test_negative_control_without_the_lock_one_is_refused(
    seller: Any, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProductStore, "lock", ProductStore.get)
    assert 412 in await changed_at_once(seller, product)
