"""order_payment v1: pay for the orders of one checkout.

    reserve stock → hold the money → confirm the order (pivot) → capture → settle ∥ mark paid

Invariant: the buyer's money is taken only after commerce promised to fulfil, and once it promised it is taken.
``mark_order_paid`` says that the buyer's money was taken (captured), not that the sellers have it: that is
``settle_payment``, and the saga does not end before both are done.
"""

from __future__ import annotations

from typing import Final

from kernel.ids import derived_id
from orchestrator.domain.definition import (
    CommandSpec,
    RetryPolicy,
    SagaContext,
    SagaDefinition,
    Step,
    StepKind,
)
from sampan.commerce.v1.commands_pb2 import (
    CancelOrder,
    ConfirmOrder,
    MarkOrderPaid,
    ReleaseStock,
    ReserveStock,
)
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment
from sampan.payment.v1.commands_pb2 import (
    AuthorizePayment,
    CapturePayment,
    SellerShare,
    SettlePayment,
    VoidPayment,
)

STOCK_HOLD_S: Final = 15 * 60  # far beyond the deadline below: a hold must not expire under a running saga
MONEY_HOLD_S: Final = 24 * 3600  # capture may be retried for hours after the pivot

_TRY: Final = RetryPolicy(attempts_max=3, first_pause_s=0.5, longest_pause_s=5)
_INSIST: Final = RetryPolicy(attempts_max=12, first_pause_s=0.5, longest_pause_s=60)


def _reserve_stock(saga: SagaContext) -> ReserveStock:
    return ReserveStock(checkout_id=saga.data.checkout_id, order_ids=_order_ids(saga.data), hold_s=STOCK_HOLD_S)


def _release_stock(saga: SagaContext) -> ReleaseStock:
    return ReleaseStock(
        checkout_id=saga.data.checkout_id, order_ids=_order_ids(saga.data), reason_code=saga.failure_code
    )


def _authorize_payment(saga: SagaContext) -> AuthorizePayment:
    return AuthorizePayment(
        checkout_id=saga.data.checkout_id,
        hold_id=_hold_id(saga),
        user_id=saga.data.buyer_id,
        wallet_id=saga.data.wallet_id,
        amount=saga.data.total,
        hold_s=MONEY_HOLD_S,
    )


def _void_payment(saga: SagaContext) -> VoidPayment:
    return VoidPayment(checkout_id=saga.data.checkout_id, hold_id=_hold_id(saga), reason_code=saga.failure_code)


def _confirm_order(saga: SagaContext) -> ConfirmOrder:
    return ConfirmOrder(checkout_id=saga.data.checkout_id, order_ids=_order_ids(saga.data))


def _capture_payment(saga: SagaContext) -> CapturePayment:
    return CapturePayment(checkout_id=saga.data.checkout_id, hold_id=_hold_id(saga), amount=saga.data.total)


def _settle_payment(saga: SagaContext) -> SettlePayment:
    """Of what was paid: an order that cost nothing has no share, and payment refuses one of nothing (ADR 0014)."""
    shares = [
        SellerShare(order_id=order.order_id, seller_id=order.seller_id, amount=order.total)
        for order in saga.data.orders
        if order.total.amount_minor
    ]
    return SettlePayment(checkout_id=saga.data.checkout_id, hold_id=_hold_id(saga), shares=shares)


def _mark_order_paid(saga: SagaContext) -> MarkOrderPaid:
    return MarkOrderPaid(checkout_id=saga.data.checkout_id, order_ids=_order_ids(saga.data))


def _cancel_order(saga: SagaContext) -> CancelOrder:
    return CancelOrder(
        checkout_id=saga.data.checkout_id, order_ids=_order_ids(saga.data), reason_code=saga.failure_code
    )


def _order_ids(data: StartOrderPayment) -> list[str]:
    return [order.order_id for order in data.orders]


def _hold_id(saga: SagaContext) -> str:
    return str(derived_id(saga.saga_id, "hold"))


ORDER_PAYMENT_V1: Final = SagaDefinition(
    saga_type="order_payment",
    version=1,
    deadline_s=60,
    decode=StartOrderPayment.FromString,
    stages=(
        Step(
            name="reserve_stock",
            kind=StepKind.COMPENSABLE,
            do=CommandSpec(build=_reserve_stock, timeout_s=5, retry=_TRY),
            undo=CommandSpec(build=_release_stock, timeout_s=5, retry=_INSIST, skippable=True),
        ),
        Step(
            name="authorize_payment",
            kind=StepKind.COMPENSABLE,
            do=CommandSpec(build=_authorize_payment, timeout_s=5, retry=_TRY),
            undo=CommandSpec(build=_void_payment, timeout_s=5, retry=_INSIST, skippable=True),
        ),
        Step(
            name="confirm_order",
            kind=StepKind.PIVOT,
            do=CommandSpec(build=_confirm_order, timeout_s=5, retry=_INSIST),
        ),
        Step(
            name="capture_payment",
            kind=StepKind.RETRIABLE,
            do=CommandSpec(build=_capture_payment, timeout_s=5, retry=_INSIST, skippable=True),
        ),
        (
            Step(
                name="settle_payment",
                kind=StepKind.RETRIABLE,
                do=CommandSpec(build=_settle_payment, timeout_s=5, retry=_INSIST, skippable=True),
            ),
            Step(
                name="mark_order_paid",
                kind=StepKind.RETRIABLE,
                do=CommandSpec(build=_mark_order_paid, timeout_s=5, retry=_INSIST, skippable=True),
            ),
        ),
    ),
    closing=Step(
        name="cancel_order",
        kind=StepKind.CLOSING,
        do=CommandSpec(build=_cancel_order, timeout_s=5, retry=_INSIST, skippable=True),
    ),
)
