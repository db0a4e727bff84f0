"""A checkout to pay for, and definitions in a hurry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from kernel.ids import uuid7
from orchestrator.domain.definition import CommandSpec, SagaDefinition, Step
from orchestrator.domain.ids import SagaId
from orchestrator.domain.inputs import Start
from sampan.orchestrator.v1.commands_pb2 import OrderToPay, StartOrderPayment
from sampan.types.v1.money_pb2 import Money

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def a_checkout(
    *, orders: int = 2, amount_minor: int = 12_500, free: int = 0, buyer_id: UUID | None = None
) -> StartOrderPayment:
    """A checkout of ``orders`` orders at ``amount_minor`` each, and ``free`` ones that cost nothing."""
    lines = [
        OrderToPay(
            order_id=str(uuid7()),
            shop_id=str(uuid7()),
            seller_id=str(uuid7()),
            total=Money(amount_minor=amount, currency="THB"),
        )
        for amount in (*[amount_minor] * orders, *[0] * free)
    ]
    return StartOrderPayment(
        checkout_id=str(uuid7()),
        buyer_id=str(buyer_id or uuid7()),
        total=Money(amount_minor=amount_minor * orders, currency="THB"),
        orders=lines,
    )


def a_start(checkout: StartOrderPayment | None = None, *, at: datetime = EPOCH) -> Start:
    """The first input of an order_payment saga."""
    checkout = checkout or a_checkout()
    return Start(
        at=at,
        saga_id=SagaId(uuid7()),
        business_key=checkout.checkout_id,
        correlation_id=str(uuid7()),
        data=checkout.SerializeToString(),
    )


def hurried(definition: SagaDefinition, factor: float) -> SagaDefinition:
    """The same saga with every time span multiplied by ``factor``."""

    def command(spec: CommandSpec) -> CommandSpec:
        retry = replace(
            spec.retry,
            first_pause_s=spec.retry.first_pause_s * factor,
            longest_pause_s=spec.retry.longest_pause_s * factor,
            stuck_pause_s=spec.retry.stuck_pause_s * factor,
        )
        return replace(spec, timeout_s=spec.timeout_s * factor, retry=retry)

    def step(item: Step) -> Step:
        return replace(item, do=command(item.do), undo=command(item.undo) if item.undo else None)

    stages = [
        tuple(step(item) for item in stage) if isinstance(stage, tuple) else step(stage) for stage in definition.stages
    ]
    closing = step(definition.closing) if definition.closing else None
    return replace(definition, stages=stages, closing=closing, deadline_s=definition.deadline_s * factor)
