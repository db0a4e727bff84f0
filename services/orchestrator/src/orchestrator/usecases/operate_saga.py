"""A person acts on a saga. Done or refused, the act is kept with who and why.

The act and its audit row commit together; a refusal rolls back, so its audit row takes a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from kernel.correlation import correlation_id
from kernel.errors import DomainError
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.errors import SagaNotFoundError
from orchestrator.domain.inputs import (
    ForceCompensation,
    OperatorInput,
    Pause,
    Resume,
    RetryNow,
    SettleStep,
    SkipStep,
)
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import SagaState
from orchestrator.usecases.advance_sagas import Arrival, Board
from orchestrator.usecases.ports import OperatorAction, SagaTx, Trail

Begin = Callable[[], AbstractAsyncContextManager[SagaTx]]

ACTION_NAMES: dict[type[OperatorInput], str] = {
    RetryNow: "retry_now",
    ForceCompensation: "force_compensation",
    Pause: "pause",
    Resume: "resume",
    SkipStep: "skip_step",
    SettleStep: "settle_step",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateSaga:
    """Give ``act`` to the saga on behalf of ``actor_id``."""

    saga_id: UUID
    act: OperatorInput
    actor_id: UUID
    bulk_id: UUID | None = None

    def audited(self, outcome: str, **changed: Mapping[str, object]) -> OperatorAction:
        """``changed``: before and after."""
        return OperatorAction(
            at=self.act.at,
            saga_id=self.saga_id,
            action=ACTION_NAMES[type(self.act)],
            step=self.act.step if isinstance(self.act, (SkipStep, SettleStep)) else None,
            actor_id=self.actor_id,
            reason=self.act.reason,
            bulk_id=self.bulk_id,
            outcome=outcome,
            **changed,
        )


async def operate_saga(command: OperateSaga, tx: SagaTx, begin: Begin, registry: SagaRegistry) -> SagaState:
    """The saga after the act, within ``tx``. Raises the state's refusal, or ``SagaNotFoundError``."""
    try:
        return await _act(command, tx, registry)
    except DomainError as refusal:
        await record_failure(command, refusal.code, begin)
        raise


async def record_failure(command: OperateSaga, code: str, begin: Begin) -> None:
    """What did not come about, in a transaction of its own."""
    async with begin() as own:
        await _record(command.audited(code), own)


async def _act(command: OperateSaga, tx: SagaTx, registry: SagaRegistry) -> SagaState:
    states = await tx.sagas.lock([command.saga_id], [])
    if not states:
        raise SagaNotFoundError
    board = Board(states, registry.pinned)
    board.put(Arrival(saga_id=command.saga_id, event=command.act, trail=Trail(correlation_id())), registry)
    await board.write(tx)
    after = board.moved[-1].state
    definition = registry.pinned(after.saga_type, after.version)
    before_facts, after_facts = _changed(definition, states[0], after)
    if isinstance(command.act, SettleStep):
        after_facts["reference"] = command.act.reference
    await _record(command.audited("done", before=before_facts, after=after_facts), tx)
    return after


async def _record(action: OperatorAction, tx: SagaTx) -> None:
    await tx.sagas.record(action)
    tx.announcer.acted(action)


def _changed(
    definition: SagaDefinition, before: SagaState, after: SagaState
) -> tuple[dict[str, object], dict[str, object]]:
    """What of a saga an act changed, as it was and as it is."""
    first, second = _facts(definition, before), _facts(definition, after)
    names = [name for name in first if first[name] != second[name]]
    return {name: first[name] for name in names}, {name: second[name] for name in names}


def _facts(definition: SagaDefinition, state: SagaState) -> dict[str, object]:
    steps = zip(definition.steps, state.steps, strict=True)
    return {
        "status": state.status.value,
        "needs_operator": state.needs_operator,
        "paused_until": state.paused_until.isoformat() if state.paused_until else "",
        **{f"step {spec.name}": f"{step.status.value}, attempt {step.attempts}" for spec, step in steps},
    }
