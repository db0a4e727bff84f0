"""What the use cases need of the outside. None of it can commit, but ``Begin``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from orchestrator.domain.batch import AppliedTransition, BusinessKey, Change
from orchestrator.domain.ids import SagaId
from orchestrator.domain.operator_acts import OperatorAction
from orchestrator.domain.state import SagaState, SagaUnreadableError


class SagaStore(Protocol):
    """Sagas and their history."""

    async def lock(self, ids: Iterable[SagaId], keys: Iterable[BusinessKey]) -> Sequence[SagaState]:
        """Load and lock, in the order of ids, so that two engines never wait for each other in a circle."""
        ...

    async def lock_due(
        self, now: datetime, known: Sequence[tuple[str, int]], limit: int, only: Sequence[SagaId] | None
    ) -> Sequence[SagaState]:
        """Load and lock sagas whose wake-up came and that nobody else works on."""
        ...

    async def save(self, changes: Sequence[Change], applied: Sequence[AppliedTransition]) -> None:
        """Write rows and history. Raises ``StaleSagaError`` when a row moved on since it was read."""
        ...

    async def read(self, ids: Iterable[SagaId]) -> Mapping[SagaId, SagaState | SagaUnreadableError]:
        """As they stand, without a lock: for looking. An error stands for one whose row is damaged."""
        ...

    async def record(self, action: OperatorAction) -> None:
        """Into the audit trail."""
        ...


class Events(Protocol):
    """What others are told: commands to participants, events, acts of operators."""

    def transitions_applied(self, applied: Sequence[AppliedTransition]) -> None: ...
    def operator_acted(self, action: OperatorAction) -> None: ...


class Tx(Protocol):
    """One transaction. ``now`` is its time."""

    @property
    def now(self) -> datetime: ...
    @property
    def sagas(self) -> SagaStore: ...
    @property
    def events(self) -> Events: ...


Begin = Callable[[], AbstractAsyncContextManager[Tx]]
