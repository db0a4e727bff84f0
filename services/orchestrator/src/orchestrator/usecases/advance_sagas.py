"""Take in what arrived together: one lock, one write, however many sagas it touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.batch import AddressedInput, IgnoredInput, SagaBatch
from orchestrator.domain.registry import SagaRegistry
from orchestrator.usecases.ports import Tx


@dataclass(frozen=True, slots=True)
class AdvanceSagas:
    """The inputs of one poll, in their order."""

    inputs: Sequence[AddressedInput]


async def advance_sagas(command: AdvanceSagas, tx: Tx, registry: SagaRegistry) -> Sequence[IgnoredInput]:
    """Fold the inputs into their sagas, all or none. Returns those that changed nothing."""
    ids = {item.saga_id for item in command.inputs if item.saga_id is not None}
    keys = {item.key for item in command.inputs if item.key is not None}
    batch = SagaBatch(await tx.sagas.lock(ids, keys), registry)
    for item in command.inputs:
        batch.put(item)
    await tx.sagas.save(batch.changes, batch.applied)
    tx.events.transitions_applied(batch.applied)
    return batch.ignored
