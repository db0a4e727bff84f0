"""Wake the sagas whose time came. Any number of processes may do this at once: a locked saga is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.batch import AddressedInput, IgnoredInput, SagaBatch
from orchestrator.domain.ids import SagaId
from orchestrator.domain.inputs import TimerFired
from orchestrator.domain.registry import SagaRegistry
from orchestrator.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeDueSagas:
    """Wake up to ``limit`` sagas that are due now; with ``only``, no others than these."""

    limit: int = 200
    only: Sequence[SagaId] | None = None


async def wake_due_sagas(command: WakeDueSagas, tx: Tx, registry: SagaRegistry) -> tuple[int, Sequence[IgnoredInput]]:
    """Returns how many were woken, and what changed nothing. A version not known here is left to who knows it.

    All or none: one that cannot be read or moved raises, and ``only`` finds out which.
    """
    due = await tx.sagas.lock_due(tx.now, registry.known, command.limit, command.only)
    batch = SagaBatch(due, registry)
    for state in due:
        batch.put(AddressedInput(saga_id=state.saga_id, event=TimerFired(at=tx.now)))
    await tx.sagas.save(batch.changes, batch.applied)
    tx.events.transitions_applied(batch.applied)
    return len(due), batch.ignored
