"""Run a recorded history through today's code: the same inputs must give the same commands and the same end.

This is what makes a deploy safe for running sagas: ``python -m orchestrator audit --replay`` does it on live rows, and
the unit tests do it on histories kept from each version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.effects import SendCommand
from orchestrator.domain.ids import CommandId
from orchestrator.domain.inputs import Input
from orchestrator.domain.state import SagaState
from orchestrator.domain.transition import transition

SentCommand = tuple[str, bool, CommandId, int, str, bytes]  # step, undo, command id, attempt, record type, its bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """What came in, and the commands that left."""

    seq: int
    event: Input
    sent: Sequence[SentCommand]


def replay_history(
    definition: SagaDefinition,
    entries: Sequence[HistoryEntry],
    ended: SagaState | None = None,
    *,
    sent_by: Callable[[SendCommand], SentCommand],
) -> list[str]:
    """Differences between the record and today's code, as sentences; empty when they agree."""
    found: list[str] = []
    state: SagaState | None = None
    for entry in entries:
        state, effects = transition(definition, state, entry.event)
        if state.seq != entry.seq:
            found.append(f"seq {entry.seq}: today's code ignores this input or makes two of it")
            break
        today = [sent_by(effect) for effect in effects if isinstance(effect, SendCommand)]
        if today != list(entry.sent):
            found.append(f"seq {entry.seq}: sent {_names(entry.sent)}, today's code sends {_names(today)}")
    if ended is not None and state is not None and not found and _essence(state) != _essence(ended):
        found.append(f"ends as {state.status}, was recorded as {ended.status}, or differs in a step")
    return found


def _names(sent: Sequence[SentCommand]) -> str:
    return ", ".join(f"{step}:{'undo' if undo else 'do'}#{attempt}" for step, undo, _, attempt, *_ in sent) or "nothing"


def _essence(state: SagaState) -> object:
    """What early wake-ups, which leave no entry, do not touch."""
    return state.status, state.steps, state.seq, state.epoch, state.failure, state.ended_at
