"""Wake the sagas whose time came. Any number of processes may do this at once: a locked saga is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.domain.inputs import TimerFired
from orchestrator.domain.registry import SagaRegistry
from orchestrator.usecases.advance_sagas import Arrival, Board, Ignorance
from orchestrator.usecases.ports import SagaTx


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeDueSagas:
    """Wake up to ``limit`` sagas that are due at ``now``; with ``only``, no others than these."""

    now: datetime
    limit: int = 200
    only: Sequence[UUID] | None = None


async def wake_due_sagas(command: WakeDueSagas, tx: SagaTx, registry: SagaRegistry) -> tuple[int, Sequence[Ignorance]]:
    """Returns how many were woken. A version this process does not know is left to one that does.

    All or none: one that cannot be read or moved raises, and ``only`` finds out which.
    """
    known = [(item.saga_type, item.version) for item in registry]
    due = await tx.sagas.lock_due(command.now, known, command.limit, command.only)
    board = Board(due, registry.pinned)
    for state in due:
        board.put(Arrival(saga_id=state.saga_id, event=TimerFired(at=command.now)), registry)
    await board.write(tx)
    return len(due), board.ignored
