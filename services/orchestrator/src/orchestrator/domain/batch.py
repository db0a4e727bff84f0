"""What arrived together, folded into the sagas it is for: each saga's inputs in their order.

A poll of Kafka or a sweep of timers is one batch: one lock, one write, however many sagas it touches. This shape, and
not a transaction per step, is what makes hundreds of sagas a second possible on one core (figures in the README).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.effects import Effect, Ignored
from orchestrator.domain.ids import SagaId
from orchestrator.domain.inputs import Input, Start
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import SagaState
from orchestrator.domain.transition import transition

BusinessKey = tuple[str, str]  # saga type, business key


@dataclass(frozen=True, slots=True)
class CausationContext:
    """Where an input came from: the record that caused it, and the trace it belongs to."""

    causation_id: str | None = None
    traceparent: str | None = None


UNCAUSED: Final = CausationContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedInput:
    """An input and whom it is for: a saga id, or the business key of a saga of that type."""

    event: Input
    saga_id: SagaId | None = None
    key: BusinessKey | None = None
    causation: CausationContext = UNCAUSED


@dataclass(frozen=True, slots=True)
class AppliedTransition:
    """One transition that was made: what came in, where it led, what it asks for."""

    event: Input
    state: SagaState
    effects: tuple[Effect, ...]
    causation: CausationContext


@dataclass(frozen=True, slots=True)
class IgnoredInput:
    """An input that changed nothing, and why."""

    saga_type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A saga's row before (None: it is new) and after all of the batch's transitions."""

    before: SagaState | None
    after: SagaState


class SagaBatch:
    """The locked sagas of one transaction, as they move."""

    def __init__(self, states: Iterable[SagaState], registry: SagaRegistry) -> None:
        self._registry = registry
        self._before: dict[SagaId, SagaState | None] = {}
        self._now: dict[SagaId, SagaState] = {}
        self._ids: dict[BusinessKey, SagaId] = {}
        self.applied: list[AppliedTransition] = []
        self.ignored: list[IgnoredInput] = []
        for state in states:
            self._before[state.saga_id] = self._now[state.saga_id] = state
            self._ids[state.saga_type, state.business_key] = state.saga_id

    def put(self, item: AddressedInput) -> None:
        """Raises ``UnknownDefinitionError`` for a saga of a version not known here."""
        saga_id = item.saga_id if item.key is None else self._ids.get(item.key)
        state = self._now.get(saga_id) if saga_id else None
        if isinstance(item.event, Start):
            self._begin(item, item.event, state)
        elif state is None:
            self.ignored.append(IgnoredInput(item.key[0] if item.key else "unknown", "no_such_saga"))
        else:
            self._move(self._registry.pinned(state.saga_type, state.version), state, item)

    @property
    def changes(self) -> Sequence[Change]:
        """The rows to write, in the order of their ids."""
        return [
            Change(self._before[saga_id], after)
            for saga_id, after in sorted(self._now.items())
            if after is not self._before[saga_id]
        ]

    def _begin(self, item: AddressedInput, start: Start, state: SagaState | None) -> None:
        if item.key is None:
            raise ValueError("a saga starts for a business key")
        saga_type = item.key[0]
        if state is not None:
            self.ignored.append(IgnoredInput(saga_type, "already_started"))
            return
        self._before[start.saga_id] = None
        self._ids[item.key] = start.saga_id
        self._move(self._registry.newest(saga_type), None, item)

    def _move(self, definition: SagaDefinition, state: SagaState | None, item: AddressedInput) -> None:
        after, effects = transition(definition, state, item.event)
        self._now[after.saga_id] = after
        if state is not None and after.seq == state.seq:
            reasons = [effect.reason for effect in effects if isinstance(effect, Ignored)]
            self.ignored += [IgnoredInput(after.saga_type, reason) for reason in reasons]
            return
        self.applied.append(AppliedTransition(item.event, after, effects, item.causation))
