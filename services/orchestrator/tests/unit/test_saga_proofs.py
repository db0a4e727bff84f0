"""Every saga is proved by one call, and the proof notices an engine or a definition that does not hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from kernel.ids import derived_id
from orchestrator.domain import draft, progress
from orchestrator.domain.batch import AddressedInput, SagaBatch
from orchestrator.domain.definition import CommandSpec, RetryPolicy, SagaContext, SagaDefinition, Step, StepKind
from orchestrator.domain.inputs import Reply
from orchestrator.domain.state import SagaStatus, StepStatus, command_id
from orchestrator.sagas import REGISTRY
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.participants import Participants
from orchestrator_testing.proof import Engine, SagaNotProvedError, prove_saga
from sampan.commerce.v1.commands_pb2 import ConfirmOrder, ReleaseStock, ReserveStock
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment

ORDER_PAYMENT, ORDER_PAYMENT_V2 = (REGISTRY.pinned("order_payment", version) for version in (1, 2))
CHECKOUT = a_checkout()
TRY, INSIST, ONCE = RetryPolicy(attempts_max=3), RetryPolicy(attempts_max=4), RetryPolicy(attempts_max=1)


def asking(
    kind: type[ReserveStock | ReleaseStock | ConfirmOrder], retry: RetryPolicy, *, skippable: bool
) -> CommandSpec:
    def build(saga: SagaContext) -> object:
        return kind(checkout_id=str(derived_id(saga.saga_id, "any")))

    return CommandSpec(build=build, timeout_s=2, retry=retry, skippable=skippable)


def step(name: str, kind: StepKind, retry: RetryPolicy = TRY, *, skippable: bool = False) -> Step:
    """Made up: what it asks for is of no matter, only that it is asked for."""
    undo = asking(ReleaseStock, INSIST, skippable=skippable) if kind is StepKind.COMPENSABLE else None
    do = asking(ConfirmOrder, retry, skippable=skippable and undo is None)
    return Step(name=name, kind=kind, do=do, undo=undo)


COMPENSABLE, PIVOT, RETRIABLE, CLOSING = StepKind.COMPENSABLE, StepKind.PIVOT, StepKind.RETRIABLE, StepKind.CLOSING

# Branches that run side by side before the pivot and after it; much of it may be skipped.
BRANCHES = SagaDefinition(
    saga_type="branches",
    version=1,
    deadline_s=600,
    decode=StartOrderPayment.FromString,
    stages=(
        step("hold_room", COMPENSABLE),
        (step("hold_flight", COMPENSABLE, skippable=True), step("hold_car", COMPENSABLE)),
        step("promise", PIVOT, INSIST),
        (step("charge", RETRIABLE, INSIST, skippable=True), step("print_ticket", RETRIABLE, INSIST)),
    ),
    closing=step("apologise", CLOSING, INSIST, skippable=True),
)
# Undone until the very end, one attempt a step, nobody is told.
NO_PIVOT = SagaDefinition(
    saga_type="no_pivot",
    version=3,
    deadline_s=60,
    decode=StartOrderPayment.FromString,
    stages=(
        (step("copy", COMPENSABLE, ONCE), step("index", COMPENSABLE, ONCE)),
        step("link", COMPENSABLE, ONCE, skippable=True),
    ),
    closing=None,
)
# A pivot at once, and nothing to undo; the closing step may be skipped.
AT_ONCE = SagaDefinition(
    saga_type="at_once",
    version=1,
    deadline_s=5,
    decode=StartOrderPayment.FromString,
    stages=(step("decide", PIVOT, INSIST), step("tell", RETRIABLE, ONCE)),
    closing=step("regret", CLOSING, INSIST, skippable=True),
)
MADE_UP = {each.saga_type: each for each in (BRANCHES, NO_PIVOT, AT_ONCE)}


def test_order_payment_v1() -> None:
    proof = prove_saga(ORDER_PAYMENT, CHECKOUT, business_key=CHECKOUT.checkout_id, participants=Participants)
    assert proof.ends == {SagaStatus.COMPLETED, SagaStatus.FAILED}
    assert proof.undone == {"reserve_stock", "authorize_payment"}


@pytest.mark.parametrize("held", [True, False], ids=["stock held", "placed by the version before"])
def test_order_payment_v2(*, held: bool) -> None:
    participants = (lambda: Participants().placed(CHECKOUT)) if held else Participants
    proof = prove_saga(ORDER_PAYMENT_V2, CHECKOUT, business_key=CHECKOUT.checkout_id, participants=participants)
    assert proof.ends == {SagaStatus.COMPLETED, SagaStatus.FAILED}
    assert proof.undone == {"pay_order"}


def test_no_saga_is_left_out() -> None:
    assert set(REGISTRY.known) == {("order_payment", 1), ("order_payment", 2)}, "a new one is proved above"


@pytest.mark.parametrize("name", MADE_UP)
def test_made_up(name: str) -> None:
    definition = MADE_UP[name]
    proof = prove_saga(definition, CHECKOUT)
    assert proof.ends == {SagaStatus.COMPLETED, SagaStatus.FAILED}
    assert proof.undone == {each.name for each in definition.steps if each.undo}
    assert len(proof.failed) == len(definition.steps) + len(proof.undone)


@pytest.mark.parametrize("name", ["branches", "no_pivot"])
def test_negative_control_a_step_whose_undo_is_missing(name: str) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Unchecked(SagaDefinition):
        def _check_order(self) -> None:
            """The definition itself would refuse it."""

    sound = MADE_UP[name]
    first, *rest = sound.stages
    first = first if isinstance(first, Step) else first[0]
    facts = {"saga_type": name, "version": 1, "deadline_s": 600, "decode": sound.decode, "closing": sound.closing}
    with pytest.raises(SagaNotProvedError, match=f"{first.name} is done, and the saga failed"):
        prove_saga(Unchecked(stages=(replace(first, undo=None), *rest), **facts), CHECKOUT)


def test_negative_control_an_undo_that_undoes_something_else() -> None:
    """Seen by the model of the real participants: the kit alone knows commands, not what they do."""
    stock, money, *rest = ORDER_PAYMENT.stages
    assert isinstance(stock, Step)
    assert isinstance(money, Step)
    edited = replace(ORDER_PAYMENT, stages=(stock, replace(money, undo=stock.undo), *rest))
    with pytest.raises(SagaNotProvedError, match="money is still held"):
        prove_saga(edited, CHECKOUT, business_key=CHECKOUT.checkout_id, participants=Participants)


def test_negative_control_money_that_is_not_returned() -> None:
    pay, *rest = ORDER_PAYMENT_V2.stages
    assert isinstance(pay, Step)
    assert ORDER_PAYMENT_V2.closing
    edited = replace(ORDER_PAYMENT_V2, stages=(replace(pay, undo=ORDER_PAYMENT_V2.closing.do), *rest))
    with pytest.raises(SagaNotProvedError, match="minor units were never settled"):
        prove_saga(edited, CHECKOUT, business_key=CHECKOUT.checkout_id, participants=Participants)


def test_negative_control_a_closing_step_that_leaves_the_stock_held() -> None:
    closing = step("regret", CLOSING, INSIST)
    edited = replace(ORDER_PAYMENT_V2, closing=replace(closing, do=ORDER_PAYMENT_V2.steps[0].undo or closing.do))
    with pytest.raises(SagaNotProvedError, match="held stock: 1 too many"):
        prove_saga(
            edited,
            CHECKOUT,
            business_key=CHECKOUT.checkout_id,
            participants=lambda: Participants().placed(CHECKOUT),
        )


class Forgetful(Engine):
    """It does not know any more that a step was answered: each answer is taken for the first."""

    def __init__(self, definition: SagaDefinition) -> None:
        super().__init__(definition)
        self._names = [step.name for step in definition.steps]

    def take(self, item: AddressedInput) -> SagaBatch:
        if isinstance(item.event, Reply):
            steps = list(self.state.steps)
            for index, each in enumerate(steps):
                own = command_id(self.state.saga_id, self._names[index], undo=False)
                if each.status is StepStatus.DONE and own == item.event.command_id:
                    steps[index] = each._replace(status=StepStatus.RUNNING)
            self._state = self.state._replace(steps=tuple(steps))
        return super().take(item)


@pytest.mark.parametrize("name", MADE_UP)
def test_negative_control_an_engine_that_takes_an_answer_in_twice(name: str) -> None:
    with pytest.raises(SagaNotProvedError, match=r"read again \(reply\) changed it"):
        prove_saga(MADE_UP[name], CHECKOUT, engine=Forgetful)


def test_negative_control_an_engine_whose_attempts_have_ids_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    send = draft.Draft.send

    def send_anew(self: draft.Draft, index: int) -> None:
        if self.steps[index].attempts:
            self.steps[index] = self.steps[index]._replace(refused=True)
        send(self, index)

    monkeypatch.setattr(draft.Draft, "send", send_anew)
    with pytest.raises(SagaNotProvedError, match="with a new id, and the last one was not answered"):
        prove_saga(BRANCHES, CHECKOUT)


def test_negative_control_an_engine_that_undoes_in_the_order_of_doing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "reversed", tuple, raising=False)
    with pytest.raises(SagaNotProvedError, match="undone in the order hold_room"):
        prove_saga(BRANCHES, CHECKOUT)


def test_negative_control_an_engine_that_turns_back_past_the_pivot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft.Draft, "may_turn_back", lambda self: self.status is SagaStatus.STARTED)
    with pytest.raises(SagaNotProvedError, match="undid it past its pivot"):
        prove_saga(AT_ONCE, CHECKOUT)


def test_negative_control_an_engine_that_gives_up_what_must_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    send = draft.Draft.send

    def send_once(self: draft.Draft, index: int) -> None:
        if self.steps[index].attempts < self.spec_in_flight(index).retry.attempts_max:
            send(self, index)

    monkeypatch.setattr(draft.Draft, "send", send_once)
    with pytest.raises(SagaNotProvedError, match="has not ended"):
        prove_saga(AT_ONCE, CHECKOUT)
