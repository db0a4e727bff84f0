"""Take in what arrived together: one lock, one write, however many sagas it touches.

A poll of Kafka or a sweep of timers is one batch. Within it each saga's inputs are folded in their order by the pure
core; the row is compared and set once. This shape, and not a transaction per step, is what makes hundreds of sagas a
second possible on one core (figures in the README).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.effects import Ignored
from orchestrator.domain.inputs import Input, Start
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import SagaState
from orchestrator.domain.transition import transition
from orchestrator.usecases.ports import NO_TRAIL, BusinessKey, Change, Moved, SagaTx, Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An input and whom it is for: a saga id, or the business key of a saga of that type."""

    event: Input
    saga_id: UUID | None = None
    key: BusinessKey | None = None
    trail: Trail = NO_TRAIL


@dataclass(frozen=True, slots=True)
class Ignorance:
    """An input that changed nothing, and why."""

    saga_type: str
    reason: str


async def advance_sagas(arrivals: Sequence[Arrival], tx: SagaTx, registry: SagaRegistry) -> Sequence[Ignorance]:
    """Fold the arrivals into their sagas, atomically."""
    ids = {arrival.saga_id for arrival in arrivals if arrival.saga_id is not None}
    keys = {arrival.key for arrival in arrivals if arrival.key is not None}
    board = Board(await tx.sagas.lock(ids, keys), registry.pinned)
    for arrival in arrivals:
        board.put(arrival, registry)
    await board.write(tx)
    return board.ignored


class Board:
    """The locked sagas of one transaction, as they move."""

    def __init__(self, states: Iterable[SagaState], pinned: Callable[[str, int], SagaDefinition]) -> None:
        self._pinned = pinned
        self._before: dict[UUID, SagaState | None] = {}
        self._now: dict[UUID, SagaState] = {}
        self._ids: dict[BusinessKey, UUID] = {}
        self.moved: list[Moved] = []
        self.ignored: list[Ignorance] = []
        for state in states:
            self._before[state.saga_id] = self._now[state.saga_id] = state
            self._ids[state.saga_type, state.business_key] = state.saga_id

    def put(self, arrival: Arrival, registry: SagaRegistry) -> None:
        """One arrival; raises ``UnknownDefinitionError`` for a saga of a version not known here."""
        saga_id = arrival.saga_id if arrival.key is None else self._ids.get(arrival.key)
        state = self._now.get(saga_id) if saga_id else None
        if isinstance(arrival.event, Start):
            self._begin(arrival, arrival.event, state, registry)
        elif state is None:
            self.ignored.append(Ignorance(arrival.key[0] if arrival.key else "unknown", "no_such_saga"))
        else:
            self._move(self._pinned(state.saga_type, state.version), state, arrival)

    def _begin(self, arrival: Arrival, start: Start, state: SagaState | None, registry: SagaRegistry) -> None:
        if arrival.key is None:
            raise ValueError("a saga starts for a business key")
        saga_type = arrival.key[0]
        if state is not None:
            self.ignored.append(Ignorance(saga_type, "already_started"))
            return
        self._before[start.saga_id] = None
        self._ids[arrival.key] = start.saga_id
        self._move(registry.newest(saga_type), None, arrival)

    def _move(self, definition: SagaDefinition, state: SagaState | None, arrival: Arrival) -> None:
        after, effects = transition(definition, state, arrival.event)
        self._now[after.saga_id] = after
        if state is not None and after.seq == state.seq:
            reasons = [effect.reason for effect in effects if isinstance(effect, Ignored)]
            self.ignored += [Ignorance(after.saga_type, reason) for reason in reasons]
            return
        self.moved.append(Moved(arrival.event, after, effects, arrival.trail))

    async def write(self, tx: SagaTx) -> None:
        """Rows, history and outbox of everything that moved."""
        changes = [
            Change(self._before[saga_id], after)
            for saga_id, after in sorted(self._now.items())
            if after is not self._before[saga_id]
        ]
        if not changes:
            return
        await tx.sagas.save(changes, self.moved)
        tx.announcer.announce(self.moved)
