"""A person acts on a saga. Done or refused, the act is kept with who and why.

The act and its audit row commit together; a refusal rolls back, so its audit row takes a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernel.correlation import correlation_id
from kernel.errors import DomainError
from orchestrator.domain.batch import AddressedInput, CausationContext, SagaBatch
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.ids import BulkId, OperatorId, SagaId
from orchestrator.domain.inputs import OperatorInput, SettleStep, SkipStep
from orchestrator.domain.operator_acts import OperatorAction
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import SagaNotFoundError, SagaState
from orchestrator.usecases.ports import Begin, Tx
from orchestrator.usecases.record_action import record_action


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateSaga:
    """Give ``act`` to the saga on behalf of ``actor_id``."""

    saga_id: SagaId
    act: OperatorInput
    actor_id: OperatorId
    bulk_id: BulkId | None = None

    def ended(self, outcome: str, **changed: Mapping[str, object]) -> OperatorAction:
        """The act as it is kept; ``changed``: before and after."""
        return OperatorAction(
            at=self.act.at,
            saga_id=self.saga_id,
            action=self.act.kind,
            step=self.act.step if isinstance(self.act, (SkipStep, SettleStep)) else None,
            actor_id=self.actor_id,
            reason=self.act.reason,
            bulk_id=self.bulk_id,
            outcome=outcome,
            **changed,
        )


async def operate_saga(command: OperateSaga, tx: Tx, registry: SagaRegistry, begin: Begin) -> SagaState:
    """The saga after the act, within ``tx``. Raises the state's refusal, or ``SagaNotFoundError``.

    ``begin`` opens the transaction that keeps a refusal.
    """
    try:
        return await _act(command, tx, registry)
    except DomainError as refusal:
        async with begin() as own:
            await record_action(command.ended(refusal.code), own)
        raise


async def _act(command: OperateSaga, tx: Tx, registry: SagaRegistry) -> SagaState:
    states = await tx.sagas.lock([command.saga_id], [])
    if not states:
        raise SagaNotFoundError
    batch = SagaBatch(states, registry)
    batch.put(AddressedInput(saga_id=command.saga_id, event=command.act, causation=CausationContext(correlation_id())))
    await tx.sagas.save(batch.changes, batch.applied)
    tx.events.transitions_applied(batch.applied)
    after = batch.applied[-1].state
    definition = registry.pinned(after.saga_type, after.version)
    before_facts, after_facts = _changed(definition, states[0], after)
    if isinstance(command.act, SettleStep):
        after_facts["reference"] = command.act.reference
    await record_action(command.ended("done", before=before_facts, after=after_facts), tx)
    return after


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
