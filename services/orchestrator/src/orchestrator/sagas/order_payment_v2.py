"""order_payment v2: pay for the orders of one checkout, whose stock was held as it was placed (ADR 0038).

    take the money → complete the order (pivot) → settle

Invariant: commerce promises only what is paid, and what it promised stays paid; a cancel that the buyer was granted
before wins, and the money goes back. ``complete_order`` says that the buyer's money was taken, not that the sellers
have it: that is ``settle_payment``, and the saga does not end before it is done.
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
from sampan.commerce.v1.commands_pb2 import CancelOrder, CompleteOrder
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment
from sampan.payment.v1.commands_pb2 import PayOrder, ReturnPayment, SellerShare, SettlePayment

_TRY: Final = RetryPolicy(attempts_max=3, first_pause_s=0.5, longest_pause_s=5)
_INSIST: Final = RetryPolicy(attempts_max=12, first_pause_s=0.5, longest_pause_s=60)


def _pay_order(saga: SagaContext) -> PayOrder:
    return PayOrder(
        checkout_id=saga.data.checkout_id,
        hold_id=_hold_id(saga),
        user_id=saga.data.buyer_id,
        wallet_id=saga.data.wallet_id,
        amount=saga.data.total,
    )


def _return_payment(saga: SagaContext) -> ReturnPayment:
    return ReturnPayment(checkout_id=saga.data.checkout_id, hold_id=_hold_id(saga), reason_code=saga.failure_code)


def _complete_order(saga: SagaContext) -> CompleteOrder:
    return CompleteOrder(checkout_id=saga.data.checkout_id)


def _settle_payment(saga: SagaContext) -> SettlePayment:
    """Of what was paid: an order that cost nothing has no share (ADR 0014)."""
    shares = [
        SellerShare(order_id=order.order_id, seller_id=order.seller_id, amount=order.total)
        for order in saga.data.orders
        if order.total.amount_minor
    ]
    return SettlePayment(checkout_id=saga.data.checkout_id, hold_id=_hold_id(saga), shares=shares)


def _cancel_order(saga: SagaContext) -> CancelOrder:
    return CancelOrder(checkout_id=saga.data.checkout_id, reason_code=saga.failure_code)


def _hold_id(saga: SagaContext) -> str:
    return str(derived_id(saga.saga_id, "hold"))


ORDER_PAYMENT_V2: Final = SagaDefinition(
    saga_type="order_payment",
    version=2,
    deadline_s=60,  # far below the quarter of an hour for which commerce holds the stock
    decode=StartOrderPayment.FromString,
    stages=(
        Step(
            name="pay_order",
            kind=StepKind.COMPENSABLE,
            do=CommandSpec(build=_pay_order, timeout_s=5, retry=_TRY),
            undo=CommandSpec(build=_return_payment, timeout_s=5, retry=_INSIST, skippable=True),
        ),
        Step(
            name="complete_order",
            kind=StepKind.PIVOT,
            do=CommandSpec(build=_complete_order, timeout_s=5, retry=_INSIST),
        ),
        Step(
            name="settle_payment",
            kind=StepKind.RETRIABLE,
            do=CommandSpec(build=_settle_payment, timeout_s=5, retry=_INSIST, skippable=True),
        ),
    ),
    closing=Step(
        name="cancel_order",
        kind=StepKind.CLOSING,
        do=CommandSpec(build=_cancel_order, timeout_s=5, retry=_INSIST, skippable=True),
    ),
)
