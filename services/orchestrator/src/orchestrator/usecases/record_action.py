"""Keep what a person did to a saga, or tried to, with who and why."""

from __future__ import annotations

from orchestrator.domain.operator_acts import OperatorAction
from orchestrator.usecases.ports import Tx


async def record_action(command: OperatorAction, tx: Tx) -> None:
    """Into the audit trail of this service and among the acts of all."""
    await tx.sagas.record(command)
    tx.events.operator_acted(command)
