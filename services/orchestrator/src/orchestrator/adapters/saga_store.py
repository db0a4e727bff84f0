"""Sagas in Postgres: plain asyncpg and unnest, because this is the engine's hot path.

Invariants: a row is written only over the (epoch, seq) that was read (compare and set); rows are locked in the order
of their ids. ``data`` never changes after the insert, and neither does an indexed column until something fails,
is late or ends, so the updates of a healthy saga are HOT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import asyncpg
import orjson

from chassis.postgres import Connection
from kernel.ids import uuid7
from kernel.rows import rows_affected
from orchestrator.adapters.history_store import entry_json
from orchestrator.domain.batch import AppliedTransition, BusinessKey, Change
from orchestrator.domain.ids import SagaId
from orchestrator.domain.operator_acts import OperatorAction
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import (
    PENDING_STEP,
    Failure,
    SagaState,
    SagaStatus,
    SagaUnreadableError,
    StaleSagaError,
    StepState,
    StepStatus,
)
from orchestrator.usecases import ports

Row = Mapping[str, Any] | asyncpg.Record

_COLUMNS = """id, saga_type, saga_version, business_key, correlation_id, status, total_steps, steps::text AS steps,
    data, compensation_data::text AS compensation_data, error_code, paused_until, epoch, seq, started_at, deadline_at,
    next_wake_at, completed_at, failed_at"""

_LOCK_BY_ID = f"SELECT {_COLUMNS} FROM saga_execution WHERE id = ANY($1) ORDER BY id FOR UPDATE"

_LOCK = f"""
SELECT {_COLUMNS} FROM saga_execution
WHERE id = ANY($1 || ARRAY(
    SELECT named.id FROM unnest($2::text[], $3::text[]) AS key (business_key, saga_type)
    JOIN saga_execution AS named USING (business_key, saga_type)))
ORDER BY id FOR UPDATE"""

_READ_BY_ID = f"SELECT {_COLUMNS} FROM saga_execution WHERE id = ANY($1) ORDER BY id"

_DUE = """
FROM saga_execution
WHERE next_wake_at <= $1 AND (saga_type, saga_version) IN (SELECT * FROM unnest($2::text[], $3::int[]))"""
_IN_TURN = "ORDER BY next_wake_at LIMIT $4"
_LOCK_DUE = f"SELECT {_COLUMNS} {_DUE} {_IN_TURN} FOR UPDATE SKIP LOCKED"
_LOCK_DUE_ONLY = f"SELECT {_COLUMNS} {_DUE} AND id = ANY($5::uuid[]) {_IN_TURN} FOR UPDATE SKIP LOCKED"
_DUE_IDS = f"SELECT id {_DUE} {_IN_TURN}"
_POSTPONE = """
UPDATE saga_execution SET next_wake_at = $2, needs_operator = true WHERE id = $1 AND next_wake_at < $2"""

_INSERT = """
INSERT INTO saga_execution (id, saga_type, saga_version, business_key, correlation_id, data, started_at, total_steps,
    status, current_step, step, steps, compensation_data, error_code, needs_operator, paused_until, epoch, seq,
    updated_at, deadline_at, next_wake_at, completed_at, failed_at)
SELECT id, saga_type, saga_version, business_key, correlation_id, data, started_at, total_steps, status, current_step,
    step, steps::jsonb, compensation_data::jsonb, error_code, needs_operator, paused_until, epoch, seq, updated_at,
    deadline_at, next_wake_at, completed_at, failed_at
FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bytea[], $7::timestamptz[], $8::int[],
    $9::text[], $10::int[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bool[], $16::timestamptz[],
    $17::bigint[], $18::bigint[], $19::timestamptz[], $20::timestamptz[], $21::timestamptz[], $22::timestamptz[],
    $23::timestamptz[])
AS new (id, saga_type, saga_version, business_key, correlation_id, data, started_at, total_steps, status,
    current_step, step, steps, compensation_data, error_code, needs_operator, paused_until, epoch, seq, updated_at,
    deadline_at, next_wake_at, completed_at, failed_at)
ON CONFLICT (business_key, saga_type) DO NOTHING"""

_UPDATE = """
UPDATE saga_execution AS saga
SET status = new.status, current_step = new.current_step, step = new.step, steps = new.steps::jsonb,
    compensation_data = new.compensation_data::jsonb, error_code = new.error_code,
    needs_operator = new.needs_operator, paused_until = new.paused_until, epoch = new.epoch, seq = new.seq,
    updated_at = coalesce(new.updated_at, saga.updated_at), deadline_at = new.deadline_at,
    next_wake_at = new.next_wake_at, completed_at = new.completed_at, failed_at = new.failed_at
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::bool[], $11::timestamptz[], $12::bigint[], $13::bigint[], $14::timestamptz[],
    $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[])
AS new (id, old_epoch, old_seq, status, current_step, step, steps, compensation_data, error_code, needs_operator,
    paused_until, epoch, seq, updated_at, deadline_at, next_wake_at, completed_at, failed_at)
WHERE saga.id = new.id"""
_COMPARE = " AND saga.epoch = new.old_epoch AND saga.seq = new.old_seq"

_HISTORY = """
INSERT INTO saga_history (saga_id, seq, epoch, at, kind, entry)
SELECT saga_id, seq, epoch, at, kind, entry::jsonb
FROM unnest(${0}::uuid[], ${1}::bigint[], ${2}::bigint[], ${3}::timestamptz[], ${4}::text[], ${5}::text[])
AS entry (saga_id, seq, epoch, at, kind, entry)"""

_ACTION = """
INSERT INTO operator_action (id, at, saga_id, action, step, actor_id, reason, bulk_id, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""

_NEXT_DUE = "SELECT min(next_wake_at) FROM saga_execution"

_ENDED_BEFORE = """
SELECT id FROM saga_execution
WHERE terminal AND coalesce(completed_at, failed_at) < $1 AND id > $2 ORDER BY id LIMIT $3"""

_FORGET = "SELECT orchestrator.forget_sagas($1)"

_UPDATE_COLUMNS: Final = 18
_STATUSES: Final = {status.value: status for status in StepStatus}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _advance(compare: str) -> str:
    """Rows and history in one round trip; an entry is written only if its row was. Returns the rows written."""
    history = _HISTORY.format(*range(_UPDATE_COLUMNS + 1, _UPDATE_COLUMNS + 7))
    created = f"${_UPDATE_COLUMNS + 7}::uuid[]"
    return f"""
WITH moved AS ({_UPDATE}{compare} RETURNING saga.id),
entries AS ({history} WHERE saga_id IN (SELECT id FROM moved) OR saga_id = ANY({created}))
SELECT count(*) FROM moved"""


_ADVANCE: Final = _advance(_COMPARE)
_ADVANCE_BLINDLY: Final = _advance("")
_HISTORY_ALONE: Final = _HISTORY.format(*range(1, 7))


class SagaStore(ports.SagaStore):
    """The sagas of one transaction. ``compares`` and ``locks`` are switched off only by negative controls."""

    def __init__(self, conn: Connection, registry: SagaRegistry, *, compares: bool = True, locks: bool = True) -> None:
        self._conn = conn
        self._registry = registry
        self._advance = _ADVANCE if compares else _ADVANCE_BLINDLY
        self._lock_by_id = _LOCK_BY_ID if locks else _READ_BY_ID

    async def lock(self, ids: Iterable[SagaId], keys: Iterable[BusinessKey]) -> Sequence[SagaState]:
        wanted, by_key = list(ids), list(keys)
        if by_key:
            types, names = [key[0] for key in by_key], [key[1] for key in by_key]
            rows = await self._conn.fetch(_LOCK, wanted, names, types)
        elif wanted:
            rows = await self._conn.fetch(self._lock_by_id, wanted)
        else:
            return []
        return [state_of(row) for row in rows]

    async def read(self, ids: Iterable[SagaId]) -> Mapping[SagaId, SagaState | SagaUnreadableError]:
        return {row["id"]: _state_or_error(row) for row in await self._conn.fetch(_READ_BY_ID, list(ids))}

    async def lock_due(
        self, now: datetime, known: Sequence[tuple[str, int]], limit: int, only: Sequence[SagaId] | None
    ) -> Sequence[SagaState]:
        given = (*_due(now, known), limit)
        if only is None:
            rows = await self._conn.fetch(_LOCK_DUE, *given)
        else:
            rows = await self._conn.fetch(_LOCK_DUE_ONLY, *given, list(only))
        return [state_of(row) for row in rows]

    async def save(self, changes: Sequence[Change], applied: Sequence[AppliedTransition]) -> None:
        if not changes:
            return
        moments = {item.state.saga_id: item.event.at for item in applied}
        created = [change.after for change in changes if change.before is None]
        updated = [(change.before, change.after) for change in changes if change.before is not None]
        if created:
            rows = [(*_fixed(state), *self._variable(state, moments)) for state in created]
            _check_count(rows_affected(await self._conn.execute(_INSERT, *_columns(rows))), len(rows))
        history = _columns(
            [
                (each.state.saga_id, each.state.seq, each.state.epoch, each.event.at, each.event.kind, entry_json(each))
                for each in applied
            ]
        ) or [[] for _ in range(6)]
        if not updated:
            await self._conn.execute(_HISTORY_ALONE, *history)
            return
        rows = [
            (before.saga_id, before.epoch, before.seq, *self._variable(after, moments)) for before, after in updated
        ]
        created_ids = [state.saga_id for state in created]
        written = await self._conn.fetchval(self._advance, *_columns(rows), *history, created_ids)
        _check_count(written, len(rows))

    async def record(self, action: OperatorAction) -> None:
        await self._conn.execute(
            _ACTION,
            uuid7(),
            action.at,
            action.saga_id,
            action.action,
            action.step,
            action.actor_id,
            action.reason,
            action.bulk_id,
            action.outcome,
        )

    def _variable(self, state: SagaState, moments: dict[SagaId, datetime]) -> tuple[Any, ...]:
        """The columns that move, in the order both statements list them."""
        position, waited_for = self._position(state)
        return (
            state.status,
            position,
            waited_for,
            steps_json(state.steps),
            failure_json(state.failure),
            state.error_code or None,
            state.needs_operator,
            state.paused_until,
            state.epoch,
            state.seq,
            moments.get(state.saga_id),  # None: only re-armed
            state.deadline_at,
            state.next_wake_at,
            state.ended_at if state.status is SagaStatus.COMPLETED else None,
            state.ended_at if state.status is SagaStatus.FAILED else None,
        )

    def _position(self, state: SagaState) -> tuple[int, str]:
        """Stage (1-based) and names of what is waited for; past the last stage when ended or closing."""
        definition = self._registry.pinned(state.saga_type, state.version)
        waited_for = [index for index, step in enumerate(state.steps) if step.status.is_open]
        if not waited_for:
            return len(definition.groups), ""
        stage = definition.group_of.get(waited_for[0], len(definition.groups) - 1) + 1
        return stage, ",".join(definition.steps[index].name for index in waited_for)


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
    settled = _settled(status, attempts, number)
    return settled._replace(refused=bool(refused), stuck=bool(stuck), since=_moment(since), wake_at=_moment(wake))


@lru_cache(maxsize=256)
def _settled(status: str, attempts: int, number: int) -> StepState:
    return StepState(_STATUSES[status], _whole(attempts), _whole(number))


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"a whole number is expected, not a {type(value).__name__}")
    return value


def state_of(row: Row) -> SagaState:
    """A saga from the store's columns. Raises ``SagaUnreadableError`` where what they hold is damaged."""
    try:
        return _state_of(row)
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise SagaUnreadableError(f"{type(error).__name__} in its steps or its failure") from error


def _state_or_error(row: Row) -> SagaState | SagaUnreadableError:
    try:
        return state_of(row)
    except SagaUnreadableError as error:
        return error


def _state_of(row: Row) -> SagaState:
    steps = steps_of(row["steps"])
    if len(steps) != row["total_steps"]:
        raise ValueError("it has another number of steps than it started with")
    return SagaState(
        saga_id=row["id"],
        saga_type=row["saga_type"],
        version=row["saga_version"],
        business_key=row["business_key"],
        correlation_id=row["correlation_id"],
        data=row["data"],
        status=SagaStatus(row["status"]),
        steps=steps,
        seq=row["seq"],
        epoch=row["epoch"],
        started_at=row["started_at"],
        deadline_at=row["deadline_at"],
        ended_at=row["completed_at"] or row["failed_at"],
        next_wake_at=row["next_wake_at"],
        paused_until=row["paused_until"],
        failure=failure_of(row["compensation_data"]),
        error_code=row["error_code"] or "",
    )


def failure_json(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    values = {"code": failure.code, "detail": failure.detail, "step": failure.step}
    return orjson.dumps(values).decode()


def failure_of(text: str | None) -> Failure | None:
    if text is None:
        return None
    values = orjson.loads(text)
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise TypeError("a failure is an object of texts")
    return Failure(**values)


def _micros(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


async def due_ids(conn: Connection, now: datetime, known: Sequence[tuple[str, int]], limit: int) -> Sequence[SagaId]:
    """Which sagas are due, without reading more of them."""
    return [row["id"] for row in await conn.fetch(_DUE_IDS, *_due(now, known), limit)]


async def next_due_at(conn: Connection) -> datetime | None:
    """The next wake-up of any saga; None when there is none."""
    moment: datetime | None = await conn.fetchval(_NEXT_DUE)
    return moment


async def ids_ended_before(conn: Connection, moment: datetime, *, after: SagaId, limit: int) -> Sequence[SagaId]:
    """In the order of ids, from the one after ``after`` on."""
    return [row["id"] for row in await conn.fetch(_ENDED_BEFORE, moment, after, limit)]


async def forget(conn: Connection, ids: Sequence[SagaId]) -> int:
    """Delete ended sagas with their histories. Returns how many there were."""
    deleted: int = await conn.fetchval(_FORGET, ids)
    return deleted


async def postpone(conn: Connection, saga_id: SagaId, until: datetime) -> None:
    """Out of the way of the others, for a person to see: of a saga that cannot be read nothing else can be written."""
    await conn.execute(_POSTPONE, saga_id, until)


def _due(now: datetime, known: Sequence[tuple[str, int]]) -> tuple[Any, ...]:
    return now, [item[0] for item in known], [item[1] for item in known]


def _fixed(state: SagaState) -> tuple[Any, ...]:
    """The columns an insert sets once."""
    return (
        state.saga_id,
        state.saga_type,
        state.version,
        state.business_key,
        state.correlation_id,
        state.data,
        state.started_at,
        len(state.steps),
    )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _check_count(written: int, wanted: int) -> None:
    """A row that moved on since it was read, or a business key that was taken, is one row less."""
    if written != wanted:
        raise StaleSagaError
