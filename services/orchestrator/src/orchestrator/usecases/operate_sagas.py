"""The same act on many sagas: first as a dry run that says what each would answer, then for real.

Each saga is its own transaction, so that one refusal or one lock does not hold up the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kernel.errors import DomainError
from kernel.ids import uuid7
from orchestrator.domain.inputs import OperatorInput
from orchestrator.domain.transition import transition
from orchestrator.sagas.registry import SagaRegistry
from orchestrator.usecases.operate_saga import Begin, OperateSaga, operate_saga


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateSagas:
    """Give ``act`` to each saga; with ``dry_run`` nothing is written."""

    saga_ids: Sequence[UUID]
    act: OperatorInput
    actor_id: UUID
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What became (or would become) of one saga: ``done`` or the code of the refusal."""

    saga_id: UUID
    outcome: str
    status: str | None


async def operate_sagas(command: OperateSagas, begin: Begin, registry: SagaRegistry) -> tuple[UUID, list[BulkOutcome]]:
    """The id that ties the audit rows together, and one outcome a saga."""
    bulk_id = uuid7()
    if command.dry_run:
        return bulk_id, await _foresee(command, begin, registry)
    outcomes = []
    for saga_id in command.saga_ids:
        one = OperateSaga(
            saga_id=saga_id,
            act=command.act,
            actor_id=command.actor_id,
            bulk_id=bulk_id,
        )
        try:
            async with begin() as tx:
                state = await operate_saga(one, tx, begin, registry)
            outcomes.append(BulkOutcome(saga_id=saga_id, outcome="done", status=state.status))
        except DomainError as refusal:
            outcomes.append(BulkOutcome(saga_id=saga_id, outcome=refusal.code, status=None))
    return bulk_id, outcomes


async def _foresee(command: OperateSagas, begin: Begin, registry: SagaRegistry) -> list[BulkOutcome]:
    """Run the pure core on what is stored, and throw the result away."""
    async with begin() as tx:
        states = await tx.sagas.lock(command.saga_ids, [])
    outcomes = []
    for state in states:
        try:
            after, _ = transition(registry.pinned(state.saga_type, state.version), state, command.act)
            outcomes.append(BulkOutcome(saga_id=state.saga_id, outcome="done", status=after.status))
        except DomainError as refusal:
            outcomes.append(BulkOutcome(saga_id=state.saga_id, outcome=refusal.code, status=None))
    return outcomes
