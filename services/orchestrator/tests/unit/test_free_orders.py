"""What costs nothing beside what is paid: accepted before the pivot, so possible after it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.definition import SagaContext, SagaDefinition, Step
from orchestrator.domain.effects import Milestone
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.simulation import DEFINITION, DEFINITION_V2, Simulation
from sampan.payment.v1.commands_pb2 import SellerShare, SettlePayment

VERSIONS = st.sampled_from([DEFINITION, DEFINITION_V2])
AMOUNTS = st.integers(min_value=1, max_value=1_000_000)


@given(version=VERSIONS, orders=st.integers(1, 4), free=st.integers(0, 4), amount_minor=AMOUNTS)
def test_every_mixture_ends_with_the_sellers_paid(
    version: SagaDefinition, orders: int, free: int, amount_minor: int
) -> None:
    checkout = a_checkout(orders=orders, free=free, amount_minor=amount_minor)
    simulation = Simulation(checkout=checkout, definition=version, held=version is DEFINITION_V2)
    simulation.begin()
    simulation.settle()
    assert simulation.current.status == "completed"
    assert Milestone.NEEDS_OPERATOR not in simulation.milestones()
    simulation.check_end()


@pytest.mark.parametrize("definition", [DEFINITION, DEFINITION_V2], ids=["v1", "v2"])
def test_nothing_at_all_is_refused_before_the_pivot_and_undone(definition: SagaDefinition) -> None:
    """Commerce sends none any more; what an older version sent ends, and nothing is left behind."""
    simulation = Simulation(checkout=a_checkout(orders=0, free=2), definition=definition)
    simulation.begin()
    simulation.settle()
    assert simulation.current.status == "failed"
    simulation.check_end()


def test_negative_control_a_share_of_nothing_is_refused_for_ever() -> None:
    def settle_all(saga: SagaContext) -> SettlePayment:
        shares = [
            SellerShare(order_id=order.order_id, seller_id=order.seller_id, amount=order.total)
            for order in saga.data.orders
        ]
        hold_id = DEFINITION.steps[3].do.build(saga).hold_id  # type: ignore[attr-defined]
        return SettlePayment(checkout_id=saga.data.checkout_id, hold_id=hold_id, shares=shares)

    *before, (settle, mark) = DEFINITION.stages  # type: ignore[misc]
    assert isinstance(settle, Step)
    edited = replace(DEFINITION, stages=(*before, (replace(settle, do=replace(settle.do, build=settle_all)), mark)))
    simulation = Simulation(checkout=a_checkout(free=1), definition=edited)
    simulation.begin()
    with pytest.raises(AssertionError, match="still started"):
        simulation.settle(wakes_max=40)
    assert Milestone.NEEDS_OPERATOR in simulation.milestones()
