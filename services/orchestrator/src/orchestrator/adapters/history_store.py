"""Sagas as rows and as JSON: what the store writes, and what a replay reads back.

Invariant: ``input_of(entry)`` of a recorded entry gives the very input that was recorded.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from google.protobuf.message import Message

from orchestrator.domain.effects import Effect, Reached, SendCommand, StepSettled, StepTimedOut
from orchestrator.domain.inputs import (
    Cancel,
    ForceCompensation,
    Input,
    Pause,
    Reply,
    Resume,
    RetryNow,
    SettleStep,
    SkipStep,
    Start,
    TimerFired,
)
from orchestrator.domain.state import PENDING_STEP, Failure, SagaState, SagaStatus, StepState, StepStatus
from orchestrator.usecases.ports import Moved

INPUT_KINDS: dict[type[Input], str] = {
    Start: "start",
    Reply: "reply",
    TimerFired: "timer",
    Cancel: "cancel",
    RetryNow: "retry_now",
    ForceCompensation: "force_compensation",
    Pause: "pause",
    Resume: "resume",
    SkipStep: "skip_step",
    SettleStep: "settle_step",
}
_STATUSES = {status.value: status for status in StepStatus}
_KINDS = {name: kind for kind, name in INPUT_KINDS.items()}
# Kept in columns of their own, or in the saga's row.
_LEFT_OUT = frozenset({"at", "data", "saga_id", "business_key", "correlation_id"})


def steps_json(steps: tuple[StepState, ...]) -> str:
    """Step states, compact: 0 while pending; status, attempts, round; and while open also refused, stuck, since, wake.

    Moments are in µs since 1970.
    """
    return orjson.dumps([_step_values(step) for step in steps]).decode()


def steps_of(text: str) -> tuple[StepState, ...]:
    return tuple(_step_of(values) for values in orjson.loads(text))


def _step_values(step: StepState) -> object:
    if step is PENDING_STEP or step.status is StepStatus.PENDING:
        return 0
    if not step.status.is_open:
        return (step.status, step.attempts, step.round)
    return (
        step.status,
        step.attempts,
        step.round,
        int(step.refused),
        int(step.stuck),
        _micros(step.since),
        _micros(step.wake_at),
    )


def _step_of(values: Any) -> StepState:
    if values == 0:
        return PENDING_STEP
    if len(values) == 3:
        return _settled(*values)
    status, attempts, number, refused, stuck, since, wake = values
    return StepState(_STATUSES[status], attempts, number, bool(refused), bool(stuck), _moment(since), _moment(wake))


@lru_cache(maxsize=256)
def _settled(status: str, attempts: int, number: int) -> StepState:
    return StepState(_STATUSES[status], attempts, number)


def state_of(row: Mapping[str, Any]) -> SagaState:
    """A saga from the store's columns."""
    failure = orjson.loads(row["compensation_data"]) if row["compensation_data"] else None
    return SagaState(
        saga_id=row["id"],
        saga_type=row["saga_type"],
        version=row["saga_version"],
        business_key=row["business_key"],
        correlation_id=row["correlation_id"],
        data=row["data"],
        status=SagaStatus(row["status"]),
        steps=steps_of(row["steps"]),
        seq=row["seq"],
        epoch=row["epoch"],
        started_at=row["started_at"],
        deadline_at=row["deadline_at"],
        ended_at=row["completed_at"] or row["failed_at"],
        next_wake_at=row["next_wake_at"],
        paused_until=row["paused_until"],
        failure=Failure(**failure) if failure else None,
        error_code=row["error_code"] or "",
    )


def failure_json(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    values = {"code": failure.code, "detail": failure.detail, "step": failure.step}
    return orjson.dumps(values).decode()


def entry_json(moved: Moved) -> str:
    """One history entry: the input, and every effect; commands with their bytes."""
    entry: dict[str, Any] = {"in": _plain(moved.event)}
    for effect in moved.effects:
        _note(entry, effect)
    return orjson.dumps(entry).decode()


def input_of(kind: str, at: datetime, entry: Mapping[str, Any], state: Mapping[str, Any]) -> Input:
    """The recorded input; ``state`` is the saga's row, which keeps what a Start carried."""
    values: dict[str, Any] = dict(entry["in"])
    match kind:
        case "start":
            values |= {
                "saga_id": state["id"],
                "business_key": state["business_key"],
                "correlation_id": state["correlation_id"],
                "data": state["data"],
            }
        case "reply":
            values["command_id"] = UUID(values["command_id"])
        case "pause":
            values["until"] = datetime.fromisoformat(values["until"])
    return _KINDS[kind](at=at, **values)


def sent_of(entry: Mapping[str, Any]) -> list[tuple[str, bool, UUID, int, str, bytes]]:
    """The commands an entry recorded: step, undo, command id, attempt, record type, bytes."""
    return [
        (step, undo, UUID(command_id), attempt, name, b64decode(body))
        for step, undo, command_id, attempt, name, body in entry.get("sent", ())
    ]


def _plain(event: Input) -> dict[str, Any]:
    return {item.name: getattr(event, item.name) for item in fields(event) if item.name not in _LEFT_OUT}


def _note(entry: dict[str, Any], effect: Effect) -> None:
    match effect:
        case SendCommand(body=Message() as body):
            content = b64encode(body.SerializeToString()).decode()
            entry.setdefault("sent", []).append(
                [effect.step, effect.undo, effect.command_id, effect.attempt, body.DESCRIPTOR.full_name, content]
            )
        case StepSettled():
            entry["settled"] = [effect.step, effect.undo, effect.outcome, round(effect.latency_s, 6)]
        case StepTimedOut():
            entry.setdefault("timed_out", []).append([effect.step, effect.undo, effect.attempt])
        case Reached():
            entry.setdefault("reached", []).append([effect.milestone, effect.step, effect.reason])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _micros(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
