"""order_payment over real Postgres and Kafka: well-behaved, misbehaved, with two engines at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from kernel.ids import uuid7
from operations.invariants import broken, check_invariants
from orchestrator.adapters.invariants import CHECKS, find_differences
from orchestrator.domain.definition import Step, StepKind
from orchestrator.domain.registry import SagaRegistry
from orchestrator.sagas import REGISTRY
from orchestrator_testing.builders import a_checkout, hurried
from orchestrator_testing.engine import running_engine
from orchestrator_testing.kafka_participants import KafkaParticipants, Mischief
from orchestrator_testing.participants import Answer, Participants
from orchestrator_testing.world import World, hurried_registry, only
from testkit.wait import eventually

pytestmark = pytest.mark.component
HURRIED = hurried_registry()
PATIENT = SagaRegistry([hurried(definition, 10) for definition in REGISTRY])  # on a busy machine, too, it asks once


def persistent() -> SagaRegistry:
    """In a hurry to ask again, but not to give up: a rebalance may outlast three attempts in a hurry."""

    def stage(item: Any) -> Any:
        if not isinstance(item, Step) or item.kind is not StepKind.COMPENSABLE:
            return item
        return replace(item, do=replace(item.do, retry=replace(item.do.retry, attempts_max=12)))

    return SagaRegistry(
        [replace(each, stages=[stage(item) for item in each.stages], deadline_s=60) for each in HURRIED]
    )


async def assert_sound(world: World, participants: KafkaParticipants, registry: SagaRegistry = HURRIED) -> None:
    """Rows, histories, money and stock."""
    statuses = await world.statuses()
    completed = [key for key, status in statuses.items() if status == "completed"]
    failed = [key for key, status in statuses.items() if status == "failed"]
    assert participants.model.unfinished(completed, failed) == []
    assert broken(await check_invariants(world.conn, CHECKS)) == []
    _, different = await find_differences(world.conn, registry, sample=1000)
    assert different == []


async def test_a_hundred_sagas_complete(world: World) -> None:
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings, registry=PATIENT):
        await asyncio.gather(*(participants.start_saga(a_checkout()) for _ in range(100)))
        statuses = await world.ended(100, timeout_s=60)
        await eventually(lambda: len(participants.ended) == 100, what="SagaEnded of each")
    assert set(statuses.values()) == {"completed"}
    assert set(participants.ended.values()) == {"completed"}
    assert participants.commands_seen == 300
    registry_free = broken(await check_invariants(world.conn, CHECKS))
    assert registry_free == []
    assert participants.model.unfinished(list(statuses), []) == []


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (Participants(stock_available=0), "commerce.stock.sold_out"),
        (Participants(wallet_minor=0), "payment.wallet.insufficient_funds"),
    ],
    ids=["sold out", "no funds"],
)
async def test_a_refused_saga_is_undone(world: World, model: Participants, code: str) -> None:
    checkout = a_checkout()
    async with KafkaParticipants(world.kafka, model) as participants, running_engine(world.settings):
        await participants.start_saga(checkout)
        await world.ended(1)
        assert participants.model.cancelled == {checkout.checkout_id: code}
    saga = await world.saga(checkout.checkout_id)
    assert saga is not None
    assert saga["error_code"] == code
    assert saga["failed_at"] is not None
    await assert_sound(world, participants)


@pytest.mark.parametrize(("version", "seed"), [(2, 1), (2, 2), (2, 3), (1, 1)])
async def test_a_network_without_manners(world: World, version: int, seed: int) -> None:
    mischief = Mischief(
        seed=seed,
        command_lost=0.08,
        command_twice=0.2,
        reply_lost=0.08,
        reply_twice=0.2,
        reply_late=0.3,
        late_s=1.2,
    )
    model, registry = Participants(stock_available=50, wallet_minor=26_000), only(persistent(), version)
    async with (
        KafkaParticipants(world.kafka, model, mischief) as participants,
        running_engine(world.settings, registry=registry),
        running_engine(world.settings, registry=registry),
    ):
        checkouts = [a_checkout() for _ in range(40)]
        await asyncio.gather(*(participants.start_saga(checkout) for checkout in checkouts))
        for checkout in checkouts[::5]:
            await participants.cancel(checkout.checkout_id)
        statuses = await world.ended(40, timeout_s=90)
    assert len(set(statuses.values())) == 2
    await assert_sound(world, participants, registry)


async def test_two_engines_share_the_work_and_do_nothing_twice(world: World) -> None:
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(KafkaParticipants(world.kafka))
        for _ in range(2):
            await stack.enter_async_context(running_engine(world.settings, registry=PATIENT))
        await asyncio.gather(*(participants.start_saga(a_checkout()) for _ in range(60)))
        await world.ended(60, timeout_s=60)
        await world.drained()
    seqs = await world.conn.fetchval("SELECT count(*) FROM saga_history")
    assert seqs == 60 * 4
    await assert_sound(world, participants, PATIENT)


async def test_a_second_start_for_a_checkout_starts_nothing(world: World) -> None:
    checkout = a_checkout()
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings):
        event_id = uuid7()
        for identity in (event_id, event_id, uuid7()):
            await participants.send(checkout, checkout.checkout_id, event_id=identity)
        await participants.start_saga(other := a_checkout())
        statuses = await world.ended(2)
    assert set(statuses) == {checkout.checkout_id, other.checkout_id}
    assert participants.commands_seen == 6


async def test_a_cancel_before_the_pivot_undoes(world: World) -> None:
    checkout = a_checkout()
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings):
        participants.muted = True
        await participants.start_saga(checkout)
        await eventually(lambda: participants.commands_seen == 1, what="PayOrder")
        participants.muted = False
        await participants.cancel(checkout.checkout_id)
        statuses = await world.ended(1)
    assert statuses == {checkout.checkout_id: "failed"}
    assert participants.model.cancelled == {checkout.checkout_id: "buyer"}
    await assert_sound(world, participants)


async def test_bad_records_go_to_the_dead_letters_and_the_rest_goes_on(world: World) -> None:
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings):
        bad = a_checkout()
        bad.total.amount_minor += 1
        await participants.send(bad, bad.checkout_id)
        empty = a_checkout()
        del empty.orders[:]
        await participants.send(empty, empty.checkout_id)
        cut = a_checkout()
        await participants.send(cut, cut.checkout_id, value=cut.SerializeToString()[:-3])
        misplaced = a_checkout()
        await participants.send(misplaced, misplaced.checkout_id, topic="private.payment.replies.v1")
        good = [a_checkout() for _ in range(10)]
        await asyncio.gather(*(participants.start_saga(checkout) for checkout in good))
        statuses = await world.ended(10)
        waiting = await eventually(lambda: _dead(world, 4), what="four dead letters")
    assert set(statuses) == {checkout.checkout_id for checkout in good}
    assert len(waiting) == 4


async def _dead(world: World, count: int) -> list[str] | None:
    rows = await world.conn.fetch("SELECT reason FROM dead_letter WHERE status = 'waiting'")
    return [row["reason"] for row in rows] if len(rows) == count else None


async def test_answers_to_nobody_are_ignored(world: World) -> None:
    checkout = a_checkout()
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings):
        await participants.reply(str(uuid7()), uuid7(), Answer(succeeded=True), participant="payment")
        await participants.cancel(str(uuid7()))
        await participants.start_saga(checkout)
        await world.ended(1)
        saga = await world.saga(checkout.checkout_id)
        assert saga is not None
        await participants.reply(str(saga["id"]), uuid7(), Answer(succeeded=False, code="x"), participant="payment")
        await participants.start_saga(other := a_checkout())
        statuses = await world.ended(2)
    assert statuses == {checkout.checkout_id: "completed", other.checkout_id: "completed"}


async def test_commands_carry_what_participants_rely_on(world: World) -> None:
    seen: list[UUID] = []
    checkout = a_checkout()
    async with (
        KafkaParticipants(world.kafka, on_command=lambda _body, identity: seen.append(identity)) as participants,
        running_engine(world.settings),
    ):
        await participants.start_saga(checkout)
        await world.ended(1)
        await world.drained()
    logged = await world.conn.fetch(
        "SELECT event_id, key, topic, headers, correlation_id FROM event_log WHERE topic LIKE 'private.%' ORDER BY id"
    )
    saga = await world.saga(checkout.checkout_id)
    assert saga is not None
    assert {row["key"] for row in logged} == {checkout.checkout_id}
    assert {row["correlation_id"] for row in logged} == {saga["correlation_id"]}
    assert all(str(saga["id"]) in row["headers"] for row in logged)
    assert [row["event_id"] for row in logged] == seen
