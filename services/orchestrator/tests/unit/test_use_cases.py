"""What the use cases decide by themselves, on fakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from kernel.ids import uuid7
from orchestrator.domain.batch import AddressedInput, IgnoredInput
from orchestrator.domain.effects import SendCommand
from orchestrator.domain.inputs import Cancel, ForceCompensation, Input, Reply, RetryNow, SettleStep, SkipStep, Start
from orchestrator.domain.operator_acts import OperatorAction, PastPivotError, SagaEndedError
from orchestrator.domain.registry import SagaRegistry, UnknownDefinitionError
from orchestrator.domain.state import FailureCode, SagaNotFoundError, SagaState, SagaUnreadableError, command_id
from orchestrator.sagas import REGISTRY
from orchestrator.usecases.advance_sagas import AdvanceSagas, advance_sagas
from orchestrator.usecases.operate_saga import OperateSaga, operate_saga
from orchestrator.usecases.operate_sagas import BulkOutcome, OperateSagas, operate_sagas
from orchestrator.usecases.wake_due_sagas import WakeDueSagas, wake_due_sagas
from orchestrator_testing.builders import EPOCH, a_start
from orchestrator_testing.fakes import FakeService

V1 = REGISTRY.pinned("order_payment", 1)
ONLY_V1 = SagaRegistry([V1])  # its steps are named here
KEY = "order_payment"
OPERATOR = uuid4()
WHO = {"at": EPOCH, "actor": str(OPERATOR), "reason": "ticket OPS-1"}


@pytest.fixture
def service() -> FakeService:
    return FakeService()


async def advance(
    service: FakeService, *inputs: AddressedInput, registry: SagaRegistry = ONLY_V1
) -> Sequence[IgnoredInput]:
    async with service.begin() as tx:
        return await advance_sagas(AdvanceSagas(inputs), tx, registry)


def starting(start: Start) -> AddressedInput:
    return AddressedInput(event=start, key=(KEY, start.business_key))


def answered(saga_id: UUID, step: str, *, code: str = "") -> AddressedInput:
    identity = command_id(saga_id, step, undo=False)
    return AddressedInput(event=Reply(at=EPOCH, command_id=identity, succeeded=not code, code=code), saga_id=saga_id)


async def begun(service: FakeService, *steps: str) -> SagaState:
    """A saga whose first steps are done."""
    start = a_start()
    await advance(service, starting(start), *(answered(start.saga_id, step) for step in steps))
    return service.rows.sagas[start.saga_id]


def sent(service: FakeService) -> list[str]:
    effects = [effect for each in service.rows.applied for effect in each.effects]
    return [effect.step for effect in effects if isinstance(effect, SendCommand)]


# --- advance_sagas ---


async def test_all_inputs_of_a_poll_are_folded_in_their_order(service: FakeService) -> None:
    start = a_start()
    assert await advance(service, starting(start), answered(start.saga_id, "reserve_stock")) == []
    assert sent(service) == ["reserve_stock", "authorize_payment"]
    assert service.rows.sagas[start.saga_id].seq == 2
    assert service.rows.told == service.rows.applied


async def test_a_saga_starts_once_for_a_business_key(service: FakeService) -> None:
    first = a_start()
    again = replace(first, saga_id=uuid7())
    ignored = await advance(service, starting(first), starting(again))
    ignored = [*ignored, *await advance(service, starting(again))]
    assert ignored == [IgnoredInput(KEY, "already_started")] * 2
    assert list(service.rows.sagas) == [first.saga_id]


async def test_a_new_saga_starts_on_the_newest_version(service: FakeService) -> None:
    start = a_start()
    await advance(service, starting(start), registry=REGISTRY)
    assert service.rows.sagas[start.saga_id].version == 2
    assert sent(service) == ["pay_order"]


async def test_a_saga_of_the_first_version_finishes_on_it(service: FakeService) -> None:
    saga = await begun(service)
    await advance(service, answered(saga.saga_id, "reserve_stock"), registry=REGISTRY)
    assert sent(service) == ["reserve_stock", "authorize_payment"]


async def test_a_start_without_a_business_key_is_a_fault_of_ours(service: FakeService) -> None:
    with pytest.raises(ValueError, match="business key"):
        await advance(service, AddressedInput(event=a_start()))


@pytest.mark.parametrize(
    ("addressed", "saga_type"),
    [
        (answered(uuid7(), "reserve_stock"), "unknown"),
        (AddressedInput(event=Cancel(at=EPOCH, code="buyer"), key=(KEY, "none")), KEY),
    ],
    ids=["by id", "by business key"],
)
async def test_inputs_for_nobody_are_ignored(service: FakeService, addressed: AddressedInput, saga_type: str) -> None:
    assert await advance(service, addressed) == [IgnoredInput(saga_type, "no_such_saga")]
    assert service.rows.told == []


async def test_an_input_that_changes_nothing_is_ignored_with_its_reason(service: FakeService) -> None:
    saga = await begun(service, "reserve_stock")
    assert await advance(service, answered(saga.saga_id, "reserve_stock")) == [IgnoredInput(KEY, "duplicate")]
    assert service.rows.sagas[saga.saga_id] is saga


async def test_one_saga_of_a_version_not_known_here_leaves_the_whole_batch_as_it_was(service: FakeService) -> None:
    known, newer = await begun(service), await begun(service)
    service.rows.sagas[newer.saga_id] = newer._replace(version=99)
    inputs = [answered(each.saga_id, "reserve_stock") for each in (known, newer)]
    with pytest.raises(UnknownDefinitionError):
        await advance(service, *inputs)
    assert service.rows.sagas[known.saga_id] is known


# --- wake_due_sagas ---


async def wake(service: FakeService, command: WakeDueSagas) -> tuple[int, Sequence[IgnoredInput]]:
    async with service.begin() as tx:
        return await wake_due_sagas(command, tx, ONLY_V1)


async def test_nothing_is_woken_before_its_time(service: FakeService) -> None:
    await begun(service)
    assert await wake(service, WakeDueSagas()) == (0, [])


async def test_what_is_due_by_the_transactions_time_is_woken(service: FakeService) -> None:
    saga = await begun(service)
    service.clock.advance(6)
    assert await wake(service, WakeDueSagas()) == (1, [])
    assert service.rows.sagas[saga.saga_id].epoch == 1
    assert sent(service) == ["reserve_stock", "reserve_stock"]


async def test_an_early_wake_up_is_ignored_and_set_anew(service: FakeService) -> None:
    saga = await begun(service, "reserve_stock")
    service.clock.advance(2)
    service.rows.sagas[saga.saga_id] = saga._replace(next_wake_at=EPOCH + timedelta(seconds=1))
    assert await wake(service, WakeDueSagas()) == (1, [IgnoredInput(KEY, "early")])
    assert service.rows.sagas[saga.saga_id].next_wake_at == EPOCH + timedelta(seconds=5)
    assert service.rows.told == service.rows.applied


@pytest.mark.parametrize(("limit", "only", "woken"), [(200, None, 3), (2, None, 2), (200, 1, 1)])
async def test_at_most_so_many_and_no_others_than_these(
    service: FakeService, limit: int, only: int | None, woken: int
) -> None:
    ids = [(await begun(service)).saga_id for _ in range(3)]
    service.clock.advance(6)
    command = WakeDueSagas(limit=limit, only=ids[:only] if only else None)
    assert (await wake(service, command))[0] == woken


async def test_a_version_not_known_here_is_left_to_who_knows_it(service: FakeService) -> None:
    saga = await begun(service)
    service.rows.sagas[saga.saga_id] = saga._replace(version=99)
    service.clock.advance(6)
    assert await wake(service, WakeDueSagas()) == (0, [])


# --- operate_saga ---


async def operate(service: FakeService, saga_id: UUID, act: Input) -> SagaState:
    async with service.begin() as tx:
        command = OperateSaga(saga_id=saga_id, act=act, actor_id=OPERATOR)  # type: ignore[arg-type]
        return await operate_saga(command, tx, ONLY_V1, service.begin)


def last_action(service: FakeService) -> OperatorAction:
    assert service.rows.told[-1] is service.rows.actions[-1]
    return service.rows.actions[-1]


async def test_an_act_is_kept_with_what_it_changed(service: FakeService) -> None:
    saga = await begun(service)
    after = await operate(service, saga.saga_id, ForceCompensation(**WHO))  # type: ignore[arg-type]
    assert service.rows.sagas[saga.saga_id] is after
    action = last_action(service)
    assert (action.action, action.outcome, action.step) == ("force_compensation", "done", None)
    assert (action.actor_id, action.reason) == (OPERATOR, "ticket OPS-1")
    assert action.before == {"status": "started", "step reserve_stock": "running, attempt 1"}
    assert action.after == {"status": "compensating", "step reserve_stock": "undoing, attempt 1"}


async def test_an_act_that_changes_no_fact_says_so(service: FakeService) -> None:
    saga = await begun(service)
    await operate(service, saga.saga_id, RetryNow(**WHO))  # type: ignore[arg-type]
    assert (last_action(service).before, last_action(service).after) == ({}, {})


async def test_who_settles_a_step_says_where_it_can_be_seen(service: FakeService) -> None:
    saga = await begun(service, "reserve_stock", "authorize_payment", "confirm_order")
    await operate(service, saga.saga_id, SkipStep(**WHO, step="capture_payment", open_task=True))  # type: ignore[arg-type]
    assert (last_action(service).action, last_action(service).step) == ("skip_step", "capture_payment")
    await operate(service, saga.saga_id, SettleStep(**WHO, step="capture_payment", reference="entry 17"))  # type: ignore[arg-type]
    assert last_action(service).after["reference"] == "entry 17"


async def test_a_refused_act_changes_nothing_and_is_kept_in_a_transaction_of_its_own(service: FakeService) -> None:
    saga = await begun(service, "reserve_stock", "authorize_payment")
    with pytest.raises(PastPivotError):
        await operate(service, saga.saga_id, ForceCompensation(**WHO))  # type: ignore[arg-type]
    assert service.rows.sagas[saga.saga_id] is saga
    assert [each.outcome for each in service.rows.actions] == [PastPivotError.code]
    assert last_action(service).before == {}


async def test_an_act_on_nothing_is_kept_too(service: FakeService) -> None:
    with pytest.raises(SagaNotFoundError):
        await operate(service, uuid4(), RetryNow(**WHO))  # type: ignore[arg-type]
    assert last_action(service).outcome == SagaNotFoundError.code


# --- operate_sagas ---


async def operate_all(service: FakeService, ids: Sequence[UUID], *, dry_run: bool) -> list[BulkOutcome]:
    act = ForceCompensation(**WHO)  # type: ignore[arg-type]
    command = OperateSagas(saga_ids=ids, act=act, actor_id=OPERATOR, dry_run=dry_run)
    bulk_id, outcomes = await operate_sagas(command, service.begin, ONLY_V1)
    assert {each.bulk_id for each in service.rows.actions} <= {bulk_id}
    return outcomes


@pytest.mark.parametrize("dry_run", [True, False])
async def test_each_saga_has_one_outcome_in_the_order_first_given(service: FakeService, *, dry_run: bool) -> None:
    open_, past, ended = await begun(service), await begun(service, *[s.name for s in V1.steps[:2]]), uuid4()
    done = await begun(service, *[step.name for step in V1.steps[:-1]])
    ids = [ended, open_.saga_id, past.saga_id, open_.saga_id, done.saga_id]
    before = service.rows.sagas.copy()
    outcomes = [(each.saga_id, each.outcome, each.status) for each in await operate_all(service, ids, dry_run=dry_run)]
    assert outcomes == [
        (ended, SagaNotFoundError.code, None),
        (open_.saga_id, "done", "compensating"),
        (past.saga_id, PastPivotError.code, None),
        (done.saga_id, SagaEndedError.code, None),
    ]
    if dry_run:
        assert (service.rows.sagas, service.rows.actions) == (before, [])
    else:
        assert service.rows.sagas[open_.saga_id].status == "compensating"
        assert [each.outcome for each in service.rows.actions] == [each[1] for each in outcomes]


async def test_one_that_cannot_be_read_is_one_outcome_and_the_others_go_on(service: FakeService) -> None:
    first, bad, last = [(await begun(service)).saga_id for _ in range(3)]
    service.unreadable.add(bad)
    foreseen = [each.outcome for each in await operate_all(service, [first, bad, last], dry_run=True)]
    outcomes = [each.outcome for each in await operate_all(service, [first, bad, last], dry_run=False)]
    assert outcomes == foreseen == ["done", SagaUnreadableError.code, "done"]
    assert [each.outcome for each in service.rows.actions] == outcomes


async def test_one_that_fails_unforeseen_is_one_outcome_and_the_others_go_on(service: FakeService) -> None:
    first, bad, last = [(await begun(service)).saga_id for _ in range(3)]
    service.failing.add(bad)
    outcomes = [each.outcome for each in await operate_all(service, [first, bad, last], dry_run=False)]
    assert outcomes == ["done", FailureCode.FAILED_UNEXPECTEDLY, "done"]
    assert [each.outcome for each in service.rows.actions] == outcomes
