"""The engine as the kit runs it: everything it knows of a saga between two transitions is the saga's row."""

from __future__ import annotations

from orchestrator.adapters.saga_store import state_of
from orchestrator.domain.batch import AddressedInput, SagaBatch
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import SagaState
from orchestrator_testing.rows import row_of


class Engine:
    """One saga at a time. It has no inbox: what it takes in twice it must tell apart by itself."""

    def __init__(self, definition: SagaDefinition) -> None:
        self._registry = SagaRegistry([definition])
        self._state: SagaState | None = None

    @property
    def state(self) -> SagaState:
        if self._state is None:
            raise AssertionError("the saga has not begun")
        return self._state

    def take(self, item: AddressedInput) -> SagaBatch:
        """What the input does to the saga. Nothing is written."""
        batch = SagaBatch([self._state] if self._state else [], self._registry)
        batch.put(item)
        return batch

    def commit(self, batch: SagaBatch) -> None:
        """Write the row, and read it: nothing else is known of the saga from here on."""
        for change in batch.changes:
            self._state = state_of(row_of(change.after))
            if self._state != change.after:
                raise AssertionError("a saga is read from its row as another than was written")
