"""Any mixture of a saga's commands, duplicated and out of order, against what must hold after each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commerce.domain.account import AccountEndedError
from commerce.domain.checkout import (
    CancelRequestedError,
    CheckoutNotFoundError,
    CheckoutReleasedError,
    StockNotHeldError,
    StockState,
)
from commerce.domain.ids import CheckoutId, ShopId, VariantId
from commerce.domain.order import (
    CancelReason,
    Order,
    OrderNotCancellableError,
    OrderNotConfirmedError,
    OrderStatus,
    PaymentStatus,
)
from commerce.domain.shop import ShopClosedError, ShopStatus
from commerce.domain.stock import HoldExpiredError, SoldOutError
from commerce.usecases.apply_saga_commands import ApplySagaCommands, SagaCommand, apply_saga_commands
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.confirm_order import ConfirmOrder
from commerce.usecases.mark_order_paid import MarkOrderPaid
from commerce.usecases.release_stock import ReleaseStock
from commerce.usecases.request_cancel import RequestCancel, request_cancel
from commerce.usecases.reserve_stock import ReserveStock
from commerce_testing.builders import BUYER, NOW, SHOP_ID, a_checkout, a_shop, a_stock_item, an_order
from commerce_testing.fakes import FakeTx
from kernel.errors import DomainError

VARIANTS = [VariantId(UUID(int=index)) for index in range(1, 4)]
CHECKOUTS = [CheckoutId(UUID(int=100 + index)) for index in range(5)]
SHOPS = [SHOP_ID, ShopId(UUID(int=902))]


def placed(on_hand: int = 10, demand: dict[VariantId, int] | None = None) -> FakeTx:
    """Every checkout with one order, pending, and nothing held."""
    tx = FakeTx()
    tx.shops.by_id = {shop_id: a_shop(id=shop_id) for shop_id in SHOPS}
    tx.stock.items = {variant_id: a_stock_item(variant_id, on_hand) for variant_id in VARIANTS}
    for checkout_id in CHECKOUTS:
        tx.orders.checkouts[checkout_id] = a_checkout(checkout_id, demand or {VARIANTS[0]: 2, VARIANTS[1]: 1})
        order = an_order(checkout_id)
        tx.orders.orders[order.id] = order
    return tx


async def apply_commands(tx: FakeTx, *commands: SagaCommand) -> list[DomainError | None]:
    return await apply_saga_commands(ApplySagaCommands(commands=commands), tx)


async def outcome(tx: FakeTx, command: SagaCommand) -> type[Exception] | None:
    [refusal] = await apply_commands(tx, command)
    return type(refusal) if refusal else None


def order_of(tx: FakeTx, checkout_id: CheckoutId) -> Order:
    [order] = [each for each in tx.orders.orders.values() if each.checkout_id == checkout_id]
    return order


RESERVE, RELEASE, CONFIRM, PAID, COMPLETE, CANCEL = (
    ReserveStock(checkout_id=CHECKOUTS[0], hold_s=60),
    ReleaseStock(checkout_id=CHECKOUTS[0]),
    ConfirmOrder(checkout_id=CHECKOUTS[0]),
    MarkOrderPaid(checkout_id=CHECKOUTS[0]),
    CompleteOrder(checkout_id=CHECKOUTS[0]),
    CancelOrder(checkout_id=CHECKOUTS[0], reason_code="payment.wallet.insufficient_funds"),
)


def check(tx: FakeTx, starting_on_hand: int) -> None:
    """STK-1..3 and the agreement of checkout, order and stock."""
    open_units = dict.fromkeys(VARIANTS, 0)
    for hold in tx.stock.holds.values():
        open_units[hold.variant_id] += hold.quantity
    sold = dict.fromkeys(VARIANTS, 0)
    for each in tx.orders.checkouts.values():
        its = order_of(tx, each.id)
        if each.stock_state is StockState.TAKEN:
            for variant_id, quantity in each.demand.items():
                sold[variant_id] += quantity
            assert its.status is OrderStatus.CONFIRMED
        if each.payment_status is PaymentStatus.PAID:
            assert each.stock_state is StockState.TAKEN
        if each.payment_status is PaymentStatus.FAILED:
            assert each.stock_state is StockState.RELEASED
            assert its.status is OrderStatus.CANCELLED
        assert its.payment_status is each.payment_status
        assert (each.id in tx.hints.checkouts) == (each.payment_status is not PaymentStatus.PENDING)
    for variant_id, stock in tx.stock.items.items():
        assert 0 <= stock.reserved <= stock.on_hand
        assert stock.reserved == open_units[variant_id]
        assert stock.on_hand == starting_on_hand - sold[variant_id]
        moved = [each for each in tx.stock.moved if each.variant_id == variant_id]
        assert [each.version for each in moved] == list(range(2, stock.version + 1))
        assert sum(each.on_hand_delta for each in moved) == stock.on_hand - starting_on_hand
        assert sum(each.reserved_delta for each in moved) == stock.reserved


async def test_the_way_to_paid() -> None:
    tx = placed()
    assert await apply_commands(tx, RESERVE, CONFIRM, PAID) == [None, None, None]
    assert tx.orders.checkouts[CHECKOUTS[0]].payment_status is PaymentStatus.PAID
    assert tx.events.names() == [
        "order_confirmed",
        "order_paid",
        *["stock_reserved", "stock_sold"] * 2,
    ]
    check(tx, 10)


async def test_version_2_completes_in_one_command() -> None:
    tx = placed()
    assert await apply_commands(tx, RESERVE, COMPLETE) == [None, None]
    assert tx.orders.checkouts[CHECKOUTS[0]].payment_status is PaymentStatus.PAID
    assert tx.events.names() == ["order_confirmed", "order_paid", *["stock_reserved", "stock_sold"] * 2]
    check(tx, 10)


async def test_what_holds_nothing_yet_is_held_and_taken_at_once_or_sold_out() -> None:
    """Placed by the version before, and its saga begun by this one."""
    tx = placed(on_hand=3, demand={VARIANTS[0]: 2})
    assert await outcome(tx, COMPLETE) is None
    check(tx, 3)
    [refusal] = await apply_commands(tx, CompleteOrder(checkout_id=CHECKOUTS[1]))
    assert isinstance(refusal, SoldOutError)
    assert refusal.context == {"variant_ids": [str(VARIANTS[0])]}
    assert tx.orders.checkouts[CHECKOUTS[1]].stock_state is StockState.NONE
    assert tx.stock.holds == {}
    check(tx, 3)


async def test_what_is_completed_is_neither_undone_nor_cancelled() -> None:
    tx = placed()
    await apply_commands(tx, RESERVE, COMPLETE)
    assert [type(each).__name__ for each in await apply_commands(tx, RELEASE, CANCEL)] == ["OrderAlreadyPaidError"] * 2
    with pytest.raises(OrderNotCancellableError):
        await request_cancel(RequestCancel(order_id=order_of(tx, CHECKOUTS[0]).id, buyer_id=BUYER), tx)
    check(tx, 10)


async def test_a_completion_after_the_cancel_is_refused() -> None:
    tx = placed()
    assert await apply_commands(tx, RESERVE, CANCEL) == [None, None]
    assert await outcome(tx, COMPLETE) is CheckoutReleasedError
    check(tx, 10)


async def test_each_command_may_come_twice() -> None:
    tx = placed()
    for command in (RESERVE, RESERVE, CONFIRM, CONFIRM, RESERVE, PAID, PAID, CONFIRM, COMPLETE, COMPLETE):
        assert await outcome(tx, command) is None
    assert tx.stock.items[VARIANTS[0]].on_hand == 8
    check(tx, 10)


async def test_a_release_before_its_reserve_is_a_tombstone() -> None:
    tx = placed()
    assert await outcome(tx, RELEASE) is None
    assert await outcome(tx, RESERVE) is CheckoutReleasedError
    assert await outcome(tx, CONFIRM) is CheckoutReleasedError
    assert await outcome(tx, CANCEL) is None
    check(tx, 10)


async def test_a_confirmation_that_came_after_its_timeout_is_undone() -> None:
    tx = placed()
    await apply_commands(tx, RESERVE, CONFIRM)
    assert await outcome(tx, RELEASE) is None
    assert await outcome(tx, CANCEL) is None
    assert tx.stock.items[VARIANTS[0]].on_hand == 10
    check(tx, 10)


async def test_what_is_paid_is_not_released() -> None:
    tx = placed()
    await apply_commands(tx, RESERVE, CONFIRM, PAID)
    assert [type(each).__name__ for each in await apply_commands(tx, RELEASE, CANCEL)] == ["OrderAlreadyPaidError"] * 2
    check(tx, 10)


async def test_confirm_needs_a_hold_and_paid_needs_a_confirmation() -> None:
    tx = placed()
    assert await outcome(tx, CONFIRM) is StockNotHeldError
    assert await outcome(tx, PAID) is OrderNotConfirmedError
    check(tx, 10)


async def test_a_granted_cancel_beats_reserve_confirm_and_complete() -> None:
    for before in ([], [RESERVE]):
        tx = placed()
        await apply_commands(tx, *before)
        order = order_of(tx, CHECKOUTS[0])
        await request_cancel(RequestCancel(order_id=order.id, buyer_id=BUYER), tx)
        assert await outcome(tx, CONFIRM if before else RESERVE) is CancelRequestedError
        assert await outcome(tx, COMPLETE) is CancelRequestedError
        command = CancelOrder(checkout_id=CHECKOUTS[0], reason_code=CancelRequestedError.code)
        assert await outcome(tx, command) is None
        assert order_of(tx, CHECKOUTS[0]).cancel_reason == "buyer"
        check(tx, 10)


async def test_unknown_checkouts_have_nothing_to_undo_and_nothing_to_do() -> None:
    tx = placed()
    nobody = CheckoutId(UUID(int=7))
    assert await outcome(tx, ReleaseStock(checkout_id=nobody)) is None
    assert await outcome(tx, CancelOrder(checkout_id=nobody, reason_code="")) is None
    assert await outcome(tx, ReserveStock(checkout_id=nobody, hold_s=1)) is CheckoutNotFoundError
    assert await outcome(tx, ConfirmOrder(checkout_id=nobody)) is CheckoutNotFoundError
    assert await outcome(tx, MarkOrderPaid(checkout_id=nobody)) is CheckoutNotFoundError
    assert await outcome(tx, CompleteOrder(checkout_id=nobody)) is CheckoutNotFoundError


async def test_all_or_nothing_when_one_line_is_short() -> None:
    tx = placed(on_hand=1, demand={VARIANTS[0]: 1, VARIANTS[1]: 2})
    [refusal] = await apply_commands(tx, RESERVE)
    assert isinstance(refusal, SoldOutError)
    assert refusal.context == {"variant_ids": [str(VARIANTS[1])]}
    assert tx.events.sent == []
    check(tx, 1)


async def test_one_of_a_batch_fails_and_the_others_do_not() -> None:
    tx = placed(on_hand=4, demand={VARIANTS[0]: 2})
    refusals = await apply_commands(tx, *(ReserveStock(checkout_id=each, hold_s=60) for each in CHECKOUTS))
    assert [refusal is None for refusal in refusals] == [True, True, False, False, False]
    check(tx, 4)


async def test_an_expired_hold_is_reclaimed_by_who_needs_it_and_then_not_confirmed() -> None:
    tx = placed(on_hand=2, demand={VARIANTS[0]: 2})
    await apply_commands(tx, RESERVE)
    tx.now = NOW + timedelta(seconds=61)
    assert await outcome(tx, ReserveStock(checkout_id=CHECKOUTS[1], hold_s=60)) is None
    assert await outcome(tx, CONFIRM) is HoldExpiredError
    assert await outcome(tx, COMPLETE) is HoldExpiredError
    assert await outcome(tx, ConfirmOrder(checkout_id=CHECKOUTS[1])) is None
    assert tx.stock.items[VARIANTS[0]].on_hand == 0
    assert [each.ran_out for each in tx.stock.moved][-1]


@pytest.mark.parametrize("command", [CONFIRM, COMPLETE])
async def test_an_expired_hold_nobody_needed_is_still_good(command: SagaCommand) -> None:
    tx = placed()
    await apply_commands(tx, RESERVE)
    tx.now = NOW + timedelta(seconds=61)
    assert await outcome(tx, command) is None


@pytest.mark.parametrize("before", [[], [RESERVE]])
async def test_nothing_is_confirmed_of_a_closed_shop_or_for_a_buyer_who_is_gone(before: list[SagaCommand]) -> None:
    for close_shop, refusal in ((True, ShopClosedError), (False, AccountEndedError)):
        tx = placed()
        await apply_commands(tx, *before)
        if close_shop:
            tx.shops.by_id[SHOP_ID] = replace(tx.shops.by_id[SHOP_ID], status=ShopStatus.CLOSED)
        else:
            tx.accounts.ended[BUYER] = NOW
        assert await outcome(tx, CONFIRM) is (refusal if before else StockNotHeldError)
        assert await outcome(tx, COMPLETE) is refusal
        assert await outcome(tx, CANCEL) is None
        check(tx, 10)


async def test_what_costs_nothing_is_marked_without_money() -> None:
    tx = placed()
    tx.orders.checkouts[CHECKOUTS[0]] = a_checkout(CHECKOUTS[0], {VARIANTS[0]: 1}, total_minor=0)
    order = an_order(CHECKOUTS[0], total_minor=0)
    tx.orders.orders[order.id] = order
    assert await apply_commands(tx, RESERVE, CONFIRM, PAID) == [None, None, None]
    assert tx.orders.checkouts[CHECKOUTS[0]].payment_status is PaymentStatus.NOT_REQUIRED
    check(tx, 10)


@pytest.mark.parametrize(
    ("reason_code", "on_hand", "closed", "expected"),
    [
        (SoldOutError.code, (0, 9), (), (SoldOutError.code, CancelReason.PART_FAILED)),
        (SoldOutError.code, (0, 0), (), (SoldOutError.code, SoldOutError.code)),
        (
            SoldOutError.code,
            (9, 9),
            (),
            (CancelReason.PART_FAILED, CancelReason.PART_FAILED),
        ),  # there again since: whose lack it was is not known
        (ShopClosedError.code, (9, 9), SHOPS[1:], (CancelReason.PART_FAILED, ShopClosedError.code)),
        (ShopClosedError.code, (0, 9), SHOPS, (ShopClosedError.code, ShopClosedError.code)),
        ("payment.wallet.insufficient_funds", (9, 9), (), ("payment.wallet.insufficient_funds",) * 2),
        (CancelRequestedError.code, (0, 9), (), ("buyer", "buyer")),
    ],
)
async def test_of_orders_paid_together_each_reads_what_is_true_of_it(
    reason_code: str, on_hand: tuple[int, int], closed: list[ShopId], expected: tuple[str, str]
) -> None:
    tx = FakeTx()
    for shop_id in SHOPS:
        tx.shops.by_id[shop_id] = a_shop(id=shop_id, status=ShopStatus.CLOSED if shop_id in closed else ShopStatus.OPEN)
    for part in zip(VARIANTS[:2], on_hand, SHOPS, strict=True):
        tx.stock.items[part[0]] = a_stock_item(*part)
    tx.orders.checkouts[CHECKOUTS[0]] = a_checkout(CHECKOUTS[0], {VARIANTS[0]: 2, VARIANTS[1]: 1})
    together = [an_order(CHECKOUTS[0], shop_id) for shop_id in SHOPS]
    tx.orders.orders = {order.id: order for order in together}
    assert await outcome(tx, CancelOrder(checkout_id=CHECKOUTS[0], reason_code=reason_code)) is None
    assert tuple(tx.orders.orders[order.id].cancel_reason for order in together) == expected


@pytest.mark.parametrize("reason_code", [SoldOutError.code, ShopClosedError.code])
async def test_an_order_alone_reads_why(reason_code: str) -> None:
    tx = placed()
    assert await outcome(tx, CancelOrder(checkout_id=CHECKOUTS[0], reason_code=reason_code)) is None
    assert order_of(tx, CHECKOUTS[0]).cancel_reason == reason_code


def commands() -> st.SearchStrategy[SagaCommand]:
    checkout_ids = st.sampled_from(CHECKOUTS)
    return st.one_of(
        st.builds(ReserveStock, checkout_id=checkout_ids, hold_s=st.just(60.0)),
        st.builds(ReleaseStock, checkout_id=checkout_ids),
        st.builds(ConfirmOrder, checkout_id=checkout_ids),
        st.builds(MarkOrderPaid, checkout_id=checkout_ids),
        st.builds(CompleteOrder, checkout_id=checkout_ids),
        st.builds(CancelOrder, checkout_id=checkout_ids, reason_code=st.just("x")),
    )


@settings(max_examples=300)
@given(
    batch=st.lists(commands(), max_size=40),
    on_hand=st.integers(0, 8),
    demand=st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 3), min_size=1),
)
async def test_whatever_comes_in_whatever_order(
    batch: list[SagaCommand], on_hand: int, demand: dict[VariantId, int]
) -> None:
    tx = placed(on_hand, demand)
    for command in batch:
        before = [(each.on_hand, each.reserved) for each in tx.stock.items.values()]
        refused = await outcome(tx, command)
        if refused:
            assert before == [(each.on_hand, each.reserved) for each in tx.stock.items.values()]
        check(tx, on_hand)


@settings(max_examples=100)
@given(
    batch=st.lists(commands(), max_size=20),
    on_hand=st.integers(0, 8),
    demand=st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 3), min_size=1),
)
async def test_a_batch_is_what_its_commands_are_one_by_one(
    batch: list[SagaCommand], on_hand: int, demand: dict[VariantId, int]
) -> None:
    together, alone = placed(on_hand, demand), placed(on_hand, demand)
    refusals = [type(each) for each in await apply_commands(together, *batch)]
    assert refusals == [type(each) for command in batch for each in await apply_commands(alone, command)]
    assert together.stock.items == alone.stock.items
    assert together.stock.holds == alone.stock.holds
    assert together.orders.checkouts == alone.orders.checkouts
    check(together, on_hand)


@pytest.mark.parametrize("request_first", [True, False])
async def test_the_cancel_is_asked_for_once(*, request_first: bool) -> None:
    tx = placed()
    command = RequestCancel(order_id=order_of(tx, CHECKOUTS[0]).id, buyer_id=BUYER)
    if request_first:
        await request_cancel(command, tx)
    else:
        await apply_commands(tx, CANCEL)
    asked = tx.events.names().count("cancel_payment")
    await request_cancel(command, tx)
    assert tx.events.names().count("cancel_payment") == asked == int(request_first)
