"""Sagas in Postgres: plain asyncpg and unnest, because this is the engine's hot path.

Invariants: a row is written only over the (epoch, seq) that was read (compare and set); rows are locked in the order
of their ids. ``data`` never changes after the insert, and neither does an indexed column until something fails,
is late or ends, so the updates of a healthy saga are HOT.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from kernel.ids import uuid7
from orchestrator.adapters.history_store import INPUT_KINDS, entry_json, failure_json, state_of, steps_json
from orchestrator.domain.errors import StaleSagaError
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import SagaState, SagaStatus
from orchestrator.usecases.ports import BusinessKey, Change, Moved, OperatorAction

_COLUMNS = """id, saga_type, saga_version, business_key, correlation_id, status, steps::text AS steps, data,
    compensation_data::text AS compensation_data, error_code, paused_until, epoch, seq, started_at, deadline_at,
    next_wake_at, completed_at, failed_at"""

_LOCK_BY_ID = f"SELECT {_COLUMNS} FROM saga_execution WHERE id = ANY($1) ORDER BY id FOR UPDATE"

_LOCK = f"""
SELECT {_COLUMNS} FROM saga_execution
WHERE id = ANY($1)
   OR (business_key, saga_type) IN (SELECT * FROM unnest($2::text[], $3::text[]))
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

_UPDATE_COLUMNS: Final = 18


def _advance(compare: str) -> str:
    """Rows and history in one round trip; an entry is written only if its row was. Returns the rows written."""
    history = _HISTORY.format(*range(_UPDATE_COLUMNS + 1, _UPDATE_COLUMNS + 7))
    born = f"${_UPDATE_COLUMNS + 7}::uuid[]"
    return f"""
WITH moved AS ({_UPDATE}{compare} RETURNING saga.id),
entries AS ({history} WHERE saga_id IN (SELECT id FROM moved) OR saga_id = ANY({born}))
SELECT count(*) FROM moved"""


_ADVANCE: Final = _advance(_COMPARE)
_ADVANCE_BLINDLY: Final = _advance("")
_HISTORY_ALONE: Final = _HISTORY.format(*range(1, 7))


class PostgresSagaStore:
    """The sagas of one transaction. ``compares`` and ``locks`` are switched off only by negative controls."""

    def __init__(self, conn: Connection, registry: SagaRegistry, *, compares: bool = True, locks: bool = True) -> None:
        self._conn = conn
        self._registry = registry
        self._advance = _ADVANCE if compares else _ADVANCE_BLINDLY
        self._lock_by_id = _LOCK_BY_ID if locks else _READ_BY_ID

    async def lock(self, ids: Iterable[UUID], keys: Iterable[BusinessKey]) -> Sequence[SagaState]:
        wanted, by_key = list(ids), list(keys)
        if by_key:
            types, names = [key[0] for key in by_key], [key[1] for key in by_key]
            rows = await self._conn.fetch(_LOCK, wanted, names, types)
        elif wanted:
            rows = await self._conn.fetch(self._lock_by_id, wanted)
        else:
            return []
        return [state_of(dict(row)) for row in rows]

    async def read(self, ids: Iterable[UUID]) -> Sequence[SagaState]:
        return [state_of(dict(row)) for row in await self._conn.fetch(_READ_BY_ID, list(ids))]

    async def lock_due(
        self, now: datetime, known: Sequence[tuple[str, int]], limit: int, only: Sequence[UUID] | None
    ) -> Sequence[SagaState]:
        given = (*_due(now, known), limit)
        if only is None:
            rows = await self._conn.fetch(_LOCK_DUE, *given)
        else:
            rows = await self._conn.fetch(_LOCK_DUE_ONLY, *given, list(only))
        return [state_of(dict(row)) for row in rows]

    async def save(self, changes: Sequence[Change], moved: Sequence[Moved]) -> None:
        moments = {item.state.saga_id: item.event.at for item in moved}
        born = [change.after for change in changes if change.before is None]
        aged = [(change.before, change.after) for change in changes if change.before is not None]
        if born:
            rows = [(*_fixed(state), *self._variable(state, moments)) for state in born]
            status = await self._conn.execute(_INSERT, *_columns(rows))
            _check_count(int(status.rpartition(" ")[2]), len(rows))
        history = _columns(
            [
                (m.state.saga_id, m.state.seq, m.state.epoch, m.event.at, INPUT_KINDS[type(m.event)], entry_json(m))
                for m in moved
            ]
        ) or [[] for _ in range(6)]
        if not aged:
            await self._conn.execute(_HISTORY_ALONE, *history)
            return
        rows = [(before.saga_id, before.epoch, before.seq, *self._variable(after, moments)) for before, after in aged]
        born_ids = [state.saga_id for state in born]
        written = await self._conn.fetchval(self._advance, *_columns(rows), *history, born_ids)
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

    def _variable(self, state: SagaState, moments: dict[UUID, datetime]) -> tuple[Any, ...]:
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


async def due_ids(conn: Connection, now: datetime, known: Sequence[tuple[str, int]], limit: int) -> Sequence[UUID]:
    """Which sagas are due, without reading more of them."""
    return [row["id"] for row in await conn.fetch(_DUE_IDS, *_due(now, known), limit)]


async def postpone(conn: Connection, saga_id: UUID, until: datetime) -> None:
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
