"""Wake the sagas whose time came. Any number of processes may do this at once: a locked saga is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.domain.inputs import TimerFired
from orchestrator.sagas.registry import SagaRegistry
from orchestrator.usecases.advance_sagas import Arrival, Board, Ignorance
from orchestrator.usecases.ports import SagaTx


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeDueSagas:
    """Wake up to ``limit`` sagas that are due at ``now``."""

    now: datetime
    limit: int = 200


async def wake_due_sagas(command: WakeDueSagas, tx: SagaTx, registry: SagaRegistry) -> tuple[int, Sequence[Ignorance]]:
    """Returns how many were woken. A version this process does not know is left to one that does."""
    known = [(item.saga_type, item.version) for item in registry]
    due = await tx.sagas.lock_due(command.now, known, command.limit)
    board = Board(due, registry.pinned)
    for state in due:
        board.put(Arrival(saga_id=state.saga_id, event=TimerFired(at=command.now)), registry)
    await board.write(tx)
    return len(due), board.ignored
