"""A person acts on a saga. Done or refused, the act is kept with who and why.

The act and its audit row commit together; a refusal rolls back, so its audit row takes a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from kernel.correlation import correlation_id
from kernel.errors import DomainError
from orchestrator.domain.errors import SagaNotFoundError
from orchestrator.domain.inputs import (
    ForceCompensation,
    OperatorInput,
    Pause,
    Resume,
    RetryNow,
    SkipStep,
)
from orchestrator.domain.state import SagaState
from orchestrator.sagas.registry import SagaRegistry
from orchestrator.usecases.advance_sagas import Arrival, Board
from orchestrator.usecases.ports import OperatorAction, SagaTx, Trail

Begin = Callable[[], AbstractAsyncContextManager[SagaTx]]

ACTION_NAMES: dict[type[OperatorInput], str] = {
    RetryNow: "retry_now",
    ForceCompensation: "force_compensation",
    Pause: "pause",
    Resume: "resume",
    SkipStep: "skip_step",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateSaga:
    """Give ``act`` to the saga on behalf of ``actor_id``."""

    saga_id: UUID
    act: OperatorInput
    actor_id: UUID
    bulk_id: UUID | None = None

    def audited(self, outcome: str) -> OperatorAction:
        return OperatorAction(
            at=self.act.at,
            saga_id=self.saga_id,
            action=ACTION_NAMES[type(self.act)],
            step=self.act.step if isinstance(self.act, SkipStep) else None,
            actor_id=self.actor_id,
            reason=self.act.reason,
            bulk_id=self.bulk_id,
            outcome=outcome,
        )


async def operate_saga(command: OperateSaga, tx: SagaTx, begin: Begin, registry: SagaRegistry) -> SagaState:
    """The saga after the act, within ``tx``. Raises the state's refusal, or ``SagaNotFoundError``."""
    try:
        return await _act(command, tx, registry)
    except DomainError as refusal:
        async with begin() as own:
            await own.sagas.record(command.audited(refusal.code))
        raise


async def _act(command: OperateSaga, tx: SagaTx, registry: SagaRegistry) -> SagaState:
    states = await tx.sagas.lock([command.saga_id], [])
    if not states:
        raise SagaNotFoundError
    board = Board(states, registry.pinned)
    board.put(Arrival(saga_id=command.saga_id, event=command.act, trail=Trail(correlation_id())), registry)
    await board.write(tx)
    await tx.sagas.record(command.audited("done"))
    return board.moved[-1].state
