"""Stuck sagas call an operator and go on once mended; v1 finishes on v1 after v2 is deployed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from orchestrator.domain.definition import CommandSpec, SagaDefinition
from orchestrator.domain.inputs import Resume
from orchestrator.domain.registry import SagaRegistry
from orchestrator.sagas import REGISTRY
from orchestrator.usecases.operate_saga import OperateSaga, operate_saga
from orchestrator_testing.builders import a_checkout, hurried
from orchestrator_testing.engine import running_engine
from orchestrator_testing.kafka_participants import KafkaParticipants
from orchestrator_testing.participants import Participants
from orchestrator_testing.world import World, hurried_registry
from testkit.wait import eventually

pytestmark = pytest.mark.component


def commanding(definition: SagaDefinition, change: Callable[[CommandSpec], CommandSpec]) -> SagaDefinition:
    """The same saga with each step's commands changed."""
    stages = [
        tuple(replace(step, do=change(step.do)) for step in stage)
        if isinstance(stage, tuple)
        else replace(stage, do=change(stage.do), undo=change(stage.undo) if stage.undo else None)
        for stage in definition.stages
    ]
    return replace(definition, stages=stages)


def impatient(version: int) -> SagaRegistry:
    """Few attempts, then an operator; and long pauses once one was called. A late answer is no attempt's end."""

    def spec(command: CommandSpec) -> CommandSpec:
        retry = replace(command.retry, attempts_max=2, stuck_pause_s=3600.0)
        return replace(command, timeout_s=60.0, retry=retry)

    definition = hurried_registry().pinned("order_payment", version)
    return SagaRegistry([commanding(definition, spec)])


def persistent(version: int) -> SagaDefinition:
    """It asks again soon, and goes on asking however long the next engine takes to come."""

    def spec(command: CommandSpec) -> CommandSpec:
        return replace(command, retry=replace(command.retry, attempts_max=100))

    return replace(commanding(hurried(REGISTRY.pinned("order_payment", version), 0.2), spec), deadline_s=600)


@pytest.mark.parametrize(
    ("version", "broken", "refused", "ends"),
    [
        (1, "CapturePayment", None, "completed"),
        (1, "VoidPayment", "ConfirmOrder", "failed"),
        (2, "SettlePayment", None, "completed"),
        (2, "ReturnPayment", "CompleteOrder", "failed"),
    ],
    ids=["v1, step after the pivot", "v1, undo", "v2, step after the pivot", "v2, undo"],
)
async def test_a_stuck_saga_calls_an_operator_and_goes_on_when_mended(
    world: World, version: int, broken: str, refused: str | None, ends: str
) -> None:
    mended = False

    def refuse(body: Any, _command_id: UUID) -> str | None:
        name = type(body).__name__
        if name == refused:
            return "commerce.order.refused"
        return "payment.provider.down" if name == broken and not mended else None

    checkout = a_checkout()
    async with (
        KafkaParticipants(world.kafka, Participants(refuse=refuse)) as participants,
        running_engine(world.settings, registry=impatient(version)) as app,
    ):
        await participants.start_saga(checkout)
        (event,) = await eventually(lambda: participants.needs_operator, what="SagaNeedsOperator")
        assert event.business_key == checkout.checkout_id
        assert event.reason == "payment.provider.down"
        saga = await world.saga(checkout.checkout_id)
        assert saga is not None
        assert saga["needs_operator"]
        assert saga["next_wake_at"] is not None
        mended = True
        act = Resume(at=datetime.now(UTC), actor="ops", reason="the provider is back")
        async with app.begin() as tx:
            command = OperateSaga(saga_id=saga["id"], act=act, actor_id=uuid4())
            await operate_saga(command, tx, app.registry, app.begin)
        statuses = await world.ended(1)
    assert statuses == {checkout.checkout_id: ends}
    assert len(participants.needs_operator) == 1
    keys = [checkout.checkout_id]
    assert participants.model.unfinished(*((keys, []) if ends == "completed" else ([], keys))) == []


async def test_v1_sagas_finish_on_v1_after_v2_is_deployed(world: World) -> None:
    v1 = persistent(1)
    before, after = SagaRegistry([v1]), SagaRegistry([v1, persistent(2)])
    old, new = a_checkout(), a_checkout()
    seen: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(
            KafkaParticipants(
                world.kafka, on_command=lambda body, _: seen.append((body.checkout_id, type(body).__name__))
            )
        )
        async with running_engine(world.settings, registry=before):
            participants.muted = True
            await participants.start_saga(old)
            await eventually(lambda: seen, what="the old saga's first command")
        participants.muted = False
        async with running_engine(world.settings, registry=after):
            await participants.start_saga(new)
            statuses = await world.ended(2)
    assert set(statuses.values()) == {"completed"}
    rows = await world.conn.fetch("SELECT business_key, saga_version FROM saga_execution")
    assert {row["business_key"]: row["saga_version"] for row in rows} == {old.checkout_id: 1, new.checkout_id: 2}
    order = list(dict.fromkeys(name for key, name in seen if key == old.checkout_id))
    assert order[:3] == ["ReserveStock", "AuthorizePayment", "ConfirmOrder"]
    order = list(dict.fromkeys(name for key, name in seen if key == new.checkout_id))
    assert order == ["PayOrder", "CompleteOrder", "SettlePayment"]
    keys = [old.checkout_id, new.checkout_id]
    assert participants.model.unfinished(keys, []) == []


async def test_a_process_of_the_old_version_leaves_new_sagas_to_the_new_one(world: World) -> None:
    v1 = persistent(1)
    both = SagaRegistry([v1, persistent(2)])
    new, old = a_checkout(), a_checkout()
    async with KafkaParticipants(world.kafka) as participants:
        async with running_engine(world.settings, registry=both):
            participants.muted = True
            await participants.start_saga(new)
            await eventually(lambda: participants.commands_seen, what="the new saga's first command")
        participants.muted = False
        async with running_engine(world.settings, registry=SagaRegistry([v1])):
            await participants.start_saga(old)
            await eventually(lambda: _status(world, old.checkout_id, "completed"), what="the old version's saga")
            assert await _status(world, new.checkout_id, "started")
        async with running_engine(world.settings, registry=both):
            statuses = await world.ended(2)
    assert set(statuses.values()) == {"completed"}


async def _status(world: World, checkout_id: str, status: str) -> Any:
    return (await world.statuses()).get(checkout_id) == status
