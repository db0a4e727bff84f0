"""What a saga is made of: steps in order, each with its undo, its patience and its place around the pivot.

Invariant (SAGA-1): compensable steps stand before the pivot, retriable ones after it, so that the saga is
always either undoable or bound to finish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from kernel.backoff import BackoffPolicy
from orchestrator.domain.ids import SagaId


class StepKind(StrEnum):
    """How a step may end."""

    COMPENSABLE = "compensable"  # before the pivot: refused or silent means undo
    PIVOT = "pivot"  # the point of no return: refused means undo, silence means ask again
    RETRIABLE = "retriable"  # after the pivot: asked again until done
    CLOSING = "closing"  # after everything was undone: asked again until done


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a command is sent and how long the pauses grow. Jitter is a share of the pause, ±."""

    attempts_max: int
    first_pause_s: float = 0.5
    growth: float = 2.0
    longest_pause_s: float = 60.0
    jitter: float = 0.2
    stuck_pause_s: float = 300.0  # between attempts once an operator was called

    def pause_s(self, attempts: int, seed: UUID) -> float:
        """Pause after the given number of attempts; the same seed gives the same jitter, so replays agree."""
        if attempts >= self.attempts_max:
            first_s = cap_s = self.stuck_pause_s
        else:
            first_s, cap_s = self.first_pause_s, self.longest_pause_s
        spread = (1 - self.jitter, 1 + self.jitter)
        chance = ((seed.int ^ (attempts * 0x9E3779B97F4A7C15)) % 2001) / 2000
        return BackoffPolicy(first_s=first_s, cap_s=cap_s, factor=self.growth, spread=spread).wait_s(attempts, chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaContext:
    """What a command builder may use: nothing but the saga's own facts, so that a retry builds the same bytes."""

    saga_id: SagaId
    data: Any
    failure_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """One command: the record it sends (its type names topic and key) and how long the answer may take.

    ``skippable``: an operator may stop asking for it. What it would have settled is then open, and the saga waits,
    until somebody says by a named act that it was done by hand (SAGA-6). Not for what can be undone instead, nor for
    what later steps rest on.
    """

    build: Callable[[SagaContext], object]
    timeout_s: float
    retry: RetryPolicy
    skippable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing asked of a participant, and how to take it back."""

    name: str
    kind: StepKind
    do: CommandSpec
    undo: CommandSpec | None = None


Stage = Step | tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class SagaDefinition:
    """One version of one saga. ``stages`` run in order; the steps of one stage run in parallel and join.

    ``closing`` runs once all was undone, to tell the owner of the business object why.
    """

    saga_type: str
    version: int
    deadline_s: float  # until the pivot is sent; past it the saga is undone
    stages: Sequence[Stage]
    closing: Step | None
    decode: Callable[[bytes], Any]  # saga data from its stored bytes

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Step indexes, stage by stage."""
        groups: list[tuple[int, ...]] = []
        start = 0
        for stage in self.stages:
            size = len(stage) if isinstance(stage, tuple) else 1
            groups.append(tuple(range(start, start + size)))
            start += size
        return tuple(groups)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step flat, the closing one last."""
        flat = [step for stage in self.stages for step in (stage if isinstance(stage, tuple) else (stage,))]
        return (*flat, self.closing) if self.closing else tuple(flat)

    @cached_property
    def closing_index(self) -> int | None:
        return len(self.steps) - 1 if self.closing else None

    @cached_property
    def pivot_index(self) -> int | None:
        return next((i for i, step in enumerate(self.steps) if step.kind is StepKind.PIVOT), None)

    @cached_property
    def group_of(self) -> dict[int, int]:
        """Stage number of each step index."""
        return {index: number for number, group in enumerate(self.groups) for index in group}

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.saga_type}: two steps share a name")
        self._check_order()

    def _check_order(self) -> None:
        past_pivot = False
        for step in self.steps:
            if step.kind is StepKind.PIVOT:
                if past_pivot:
                    raise ValueError(f"{self.saga_type}: {step.name} is a second pivot")
                past_pivot = True
            elif step.kind is StepKind.COMPENSABLE and (past_pivot or step.undo is None):
                raise ValueError(f"{self.saga_type}: {step.name} needs an undo and a place before the pivot")
            elif step.kind is StepKind.RETRIABLE and not past_pivot:
                raise ValueError(f"{self.saga_type}: {step.name} is retriable before the pivot")
            if step.do.skippable and step.kind in {StepKind.COMPENSABLE, StepKind.PIVOT}:
                raise ValueError(f"{self.saga_type}: {step.name} can be undone or refused, so it is not skipped")
            if step.kind is not StepKind.COMPENSABLE and step.undo is not None:
                raise ValueError(f"{self.saga_type}: {step.name} cannot be undone, yet has an undo")
        if self.closing and self.closing.kind is not StepKind.CLOSING:
            raise ValueError(f"{self.saga_type}: the closing step is of kind closing")
        if self.pivot_index is not None and len(self.groups[self.group_of[self.pivot_index]]) > 1:
            raise ValueError(f"{self.saga_type}: the pivot runs alone")
