"""What others are told, as records in the outbox: commands to participants, events, acts of operators; and what the
metrics count of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import structlog
from google.protobuf.message import Message as Body

from contracts.values import timestamp_of
from eventing import Outbox
from kernel.correlation import flow
from kernel.ids import derived_id
from operations.acts import Act, record
from orchestrator.adapters import metrics
from orchestrator.domain.batch import AppliedTransition
from orchestrator.domain.effects import Effect, Milestone, Reached, SendCommand, StepSettled, StepTimedOut
from orchestrator.domain.operator_acts import OperatorAction
from orchestrator.domain.state import SagaState
from orchestrator.usecases import ports
from sampan.orchestrator.v1.saga_pb2 import SagaEnded, SagaNeedsOperator, SagaStarted

log = structlog.get_logger(__name__)


class Events(ports.Events):
    """Writes into one transaction's outbox; counts only when ``committed`` is called after the commit."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._applied: list[AppliedTransition] = []

    def transitions_applied(self, applied: Sequence[AppliedTransition]) -> None:
        self._applied.extend(applied)
        for item in applied:
            state = item.state
            with flow(state.correlation_id, item.causation.causation_id or str(state.saga_id)):
                for effect in item.effects:
                    self._write(state, effect, item.event.at, item.causation.traceparent)

    def operator_acted(self, action: OperatorAction) -> None:
        record(
            Act(
                action=f"saga.{action.action}",
                service="orchestrator",
                actor=str(action.actor_id),
                via="http",
                reason=action.reason,
                outcome=action.outcome,
                target={"saga_id": action.saga_id, "step": action.step, "bulk_id": action.bulk_id},
                before=action.before,
                after=action.after,
            ),
            self,
        )

    @property
    def outbox(self) -> Outbox:
        return self._outbox

    def committed(self) -> None:
        """Let the metrics count it."""
        for item in self._applied:
            for effect in item.effects:
                _count(item.state, effect)
        self._applied.clear()

    def _write(self, state: SagaState, effect: Effect, at: datetime, traceparent: str | None) -> None:
        headers = {"traceparent": traceparent} if traceparent else None
        if isinstance(effect, SendCommand):
            self._outbox.add(
                cast("Body", effect.body),
                event_id=effect.command_id,
                headers={"reply_key": str(state.saga_id), **(headers or {})},
            )
        elif isinstance(effect, Reached):
            event = _event(state, effect, at)
            if event is not None:
                event_id = _event_id(state, effect)
                self._outbox.add(event, event_id=event_id, aggregate_version=state.seq, headers=headers)


def _event_id(state: SagaState, effect: Reached) -> UUID:
    return derived_id(state.saga_id, f"event:{state.seq}:{effect.milestone}:{effect.step}")


def _event(state: SagaState, effect: Reached, at: datetime) -> Body | None:
    moment = timestamp_of(at)
    saga: dict[str, Any] = {
        "saga_id": str(state.saga_id),
        "saga_type": state.saga_type,
        "saga_version": state.version,
        "business_key": state.business_key,
    }
    match effect.milestone:
        case Milestone.STARTED:
            return SagaStarted(**saga, started_at=moment)
        case Milestone.ENDED:
            failure_code = state.failure.code if state.failure else ""
            return SagaEnded(**saga, status=state.status, failure_code=failure_code, ended_at=moment)
        case Milestone.NEEDS_OPERATOR:
            return SagaNeedsOperator(**saga, step=effect.step, reason=effect.reason, at=moment)
        case Milestone.COMPENSATING:
            return None


def _count(state: SagaState, effect: Effect) -> None:
    saga_type = state.saga_type
    match effect:
        case Reached(milestone=Milestone.STARTED):
            metrics.STARTED.labels(saga_type).inc()
        case Reached(milestone=Milestone.COMPENSATING):
            metrics.COMPENSATED.labels(saga_type).inc()
        case Reached(milestone=Milestone.ENDED):
            metrics.ENDED.labels(saga_type, state.status).inc()
            if state.ended_at is not None:
                metrics.DURATION.labels(saga_type).observe((state.ended_at - state.started_at).total_seconds())
        case Reached(milestone=Milestone.NEEDS_OPERATOR):
            metrics.NEEDED_OPERATOR.labels(saga_type, effect.step).inc()
            log.warning(
                "saga.needs_operator",
                saga_id=str(state.saga_id),
                saga_type=saga_type,
                step=effect.step,
                reason=effect.reason,
            )
        case StepSettled():
            direction = "undo" if effect.undo else "do"
            metrics.STEP_LATENCY.labels(saga_type, effect.step, direction, effect.outcome).observe(effect.latency_s)
        case StepTimedOut():
            metrics.STEP_TIMEOUTS.labels(saga_type, effect.step, "undo" if effect.undo else "do").inc()
