"""What operators look for, and what they see of a saga."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from google.protobuf.message import DecodeError
from pydantic import Field

from chassis.http import Body, Line, PageQuery, View
from contracts.masking import mask
from contracts.registry import record_type
from orchestrator.adapters.history_store import sent_of
from orchestrator.adapters.metrics import What, note_unreadable
from orchestrator.adapters.saga_reads import SagaFilter, SagaRow, TimelineRow
from orchestrator.domain.definition import SagaDefinition
from orchestrator.domain.state import StepState

Code = Annotated[Line, Field(min_length=1, max_length=200)]
Status = Literal["started", "compensating", "completed", "failed"]


class SagaQuery(PageQuery):
    """Filters; all that are given must hold."""

    type: Code | None = None
    status: Status | None = None
    needs_operator: bool | None = None
    paused: bool | None = None
    step: Code | None = None
    error_code: Code | None = None
    business_key: Code | None = None
    older_than_s: Annotated[int, Field(ge=0, le=10**9)] | None = None


class BulkFilter(Body):
    """Which sagas; at least one filter is needed."""

    type: Code | None = None
    status: Literal["started", "compensating"] | None = None
    needs_operator: bool | None = None
    paused: bool | None = None
    step: Code | None = None
    error_code: Code | None = None
    older_than_s: Annotated[int, Field(ge=0, le=10**9)] | None = None


def filter_of(query: SagaQuery | BulkFilter, now: datetime) -> SagaFilter:
    """The filter a query or a bulk body asks for."""
    age_s = query.older_than_s
    return SagaFilter(
        saga_type=query.type,
        status=query.status,
        needs_operator=query.needs_operator,
        paused=query.paused,
        step=query.step,
        error_code=query.error_code,
        business_key=query.business_key if isinstance(query, SagaQuery) else None,
        started_before=now - timedelta(seconds=age_s) if age_s is not None else None,
    )


class StepView(View):
    """One step. ``attempts`` and ``round`` count for the present direction; a round is one command id."""

    name: str
    kind: str
    status: str
    attempts: int
    round: int
    stuck: bool
    since: datetime | None
    wake_at: datetime | None


class FailureView(View):
    """Why the saga is or was undone."""

    code: str
    detail: str
    step: str | None


class SagaView(View):
    """One saga. ``unreadable``: its stored steps or failure are damaged; neither is shown, and every act is refused."""

    id: UUID
    type: str
    version: int
    business_key: str
    correlation_id: str
    status: str
    needs_operator: bool
    paused_until: datetime | None
    steps_in_flight: list[str]
    steps_unsettled: list[str]
    current_step: int
    total_steps: int
    error_code: str | None
    failure: FailureView | None
    seq: int
    epoch: int
    started_at: datetime
    updated_at: datetime
    deadline_at: datetime
    next_wake_at: datetime | None
    ended_at: datetime | None
    unreadable: bool
    steps: list[StepView]

    @classmethod
    def of(cls, row: SagaRow, definition: SagaDefinition | None) -> Self:
        state = row.state
        names = [(step.name, step.kind.value) for step in definition.steps] if definition else []
        failure = state.failure
        return cls.of_fields(
            state,
            id=state.saga_id,
            type=state.saga_type,
            needs_operator=row.needs_operator,
            steps_in_flight=[name for name, step in _open_steps(row) if step.status.is_in_flight],
            steps_unsettled=[name for name, step in _open_steps(row) if step.status.is_unsettled],
            current_step=row.current_step,
            total_steps=row.total_steps,
            error_code=state.error_code or None,
            failure=FailureView(code=failure.code, detail=failure.detail, step=failure.step or None)
            if failure
            else None,
            updated_at=row.updated_at,
            unreadable=row.unreadable,
            steps=[
                _step(*(names[index] if index < len(names) else (f"step {index + 1}", "unknown")), step)
                for index, step in enumerate(state.steps)
            ],
        )


class CommandView(View):
    """A command that was sent; personal data reads ``***``."""

    step: str
    direction: Literal["do", "undo"]
    command_id: UUID
    attempt: int
    type: str
    payload: dict[str, Any]


class TimelineView(View):
    """One transition: what came in, what it settled, what it sent; of one that is ``unreadable`` nothing is shown."""

    seq: int
    epoch: int
    at: datetime
    kind: str
    unreadable: bool
    input: dict[str, Any]
    settled: dict[str, Any] | None
    timed_out: list[dict[str, Any]]
    milestones: list[dict[str, Any]]
    commands: list[CommandView]

    @classmethod
    def of(cls, row: TimelineRow) -> Self:
        try:
            return cls._of(row, row.entry)
        except (ValueError, TypeError, LookupError, AttributeError, DecodeError) as error:
            note_unreadable(What.HISTORY, saga_id=row.saga_id, seq=row.seq, error=type(error).__name__)
            return cls._of(row, {"in": {}}, unreadable=True)

    @classmethod
    def _of(cls, row: TimelineRow, entry: Mapping[str, Any], *, unreadable: bool = False) -> Self:
        settled = entry.get("settled")
        return cls.of_fields(
            row,
            unreadable=unreadable,
            input=entry["in"],
            settled=dict(zip(("step", "undo", "outcome", "latency_s"), settled, strict=True)) if settled else None,
            timed_out=[dict(zip(("step", "undo", "attempt"), t, strict=True)) for t in entry.get("timed_out", ())],
            milestones=[dict(zip(("milestone", "step", "reason"), m, strict=True)) for m in entry.get("reached", ())],
            commands=[
                CommandView(
                    step=step,
                    direction="undo" if undo else "do",
                    command_id=command_id,
                    attempt=attempt,
                    type=name,
                    payload=mask(record_type(name).message.FromString(content)),
                )
                for step, undo, command_id, attempt, name, content in sent_of(entry)
            ],
        )


def _open_steps(row: SagaRow) -> list[tuple[str, StepState]]:
    """What the saga waits for, by the names its row has: its definition may not be known here."""
    return list(zip(row.step.split(","), (step for step in row.state.steps if step.status.is_open), strict=False))


def _step(name: str, kind: str, step: StepState) -> StepView:
    return StepView.of_fields(step, name=name, kind=kind, wake_at=step.wake_at if step.status.is_in_flight else None)
