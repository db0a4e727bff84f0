"""What the use cases need of the outside. None of it can commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from orchestrator.domain.effects import Effect
from orchestrator.domain.inputs import Input
from orchestrator.domain.state import SagaState

BusinessKey = tuple[str, str]  # saga type, business key


@dataclass(frozen=True, slots=True)
class Trail:
    """Where an input came from: the record that caused it, and the trace it belongs to."""

    causation_id: str | None = None
    traceparent: str | None = None


NO_TRAIL = Trail()


@dataclass(frozen=True, slots=True)
class Moved:
    """One transition that was made: what came in, where it led, what it asks for."""

    event: Input
    state: SagaState
    effects: tuple[Effect, ...]
    trail: Trail


@dataclass(frozen=True, slots=True)
class Change:
    """A saga's row before (None: it is new) and after all of the transaction's transitions."""

    before: SagaState | None
    after: SagaState


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """One act of a person, for the audit trail. ``outcome`` is ``done`` or the code of the refusal.

    ``before`` and ``after`` hold what the act changed.
    """

    at: datetime
    saga_id: UUID
    action: str
    step: str | None
    actor_id: UUID
    reason: str
    bulk_id: UUID | None
    outcome: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


class SagaStore(Protocol):
    """Sagas and their history."""

    async def lock(self, ids: Iterable[UUID], keys: Iterable[BusinessKey]) -> Sequence[SagaState]:
        """Load and lock, in the order of ids, so that two engines never wait for each other in a circle."""
        ...

    async def lock_due(
        self, now: datetime, known: Sequence[tuple[str, int]], limit: int, only: Sequence[UUID] | None
    ) -> Sequence[SagaState]:
        """Load and lock sagas whose wake-up came and that nobody else works on."""
        ...

    async def save(self, changes: Sequence[Change], moved: Sequence[Moved]) -> None:
        """Write rows and history. Raises ``StaleSagaError`` when a row moved on since it was read."""
        ...

    async def read(self, ids: Iterable[UUID]) -> Sequence[SagaState]:
        """As they stand, without a lock: for looking."""
        ...

    async def record(self, action: OperatorAction) -> None: ...


class Announcer(Protocol):
    """Puts commands, events and what operators did into the transaction's outbox."""

    def announce(self, moved: Sequence[Moved]) -> None: ...
    def acted(self, action: OperatorAction) -> None: ...


class SagaTx(Protocol):
    """One transaction."""

    @property
    def sagas(self) -> SagaStore: ...
    @property
    def announcer(self) -> Announcer: ...
