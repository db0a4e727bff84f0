"""A saga through its row and back, without a database."""

from __future__ import annotations

from typing import Any

from orchestrator.adapters.saga_store import failure_json, steps_json
from orchestrator.domain.state import SagaState, SagaStatus


def row_of(state: SagaState) -> dict[str, Any]:
    """The columns that ``state_of`` reads."""
    return {
        "id": state.saga_id,
        "saga_type": state.saga_type,
        "saga_version": state.version,
        "business_key": state.business_key,
        "correlation_id": state.correlation_id,
        "data": state.data,
        "status": state.status.value,
        "total_steps": len(state.steps),
        "steps": steps_json(state.steps),
        "seq": state.seq,
        "epoch": state.epoch,
        "started_at": state.started_at,
        "deadline_at": state.deadline_at,
        "completed_at": state.ended_at if state.status is SagaStatus.COMPLETED else None,
        "failed_at": state.ended_at if state.status is SagaStatus.FAILED else None,
        "next_wake_at": state.next_wake_at,
        "paused_until": state.paused_until,
        "compensation_data": failure_json(state.failure),
        "error_code": state.error_code or None,
    }
