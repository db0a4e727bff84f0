"""What operators look at: sagas by filter, one saga, its timeline. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from chassis.postgres import Connection
from orchestrator.adapters.metrics import What, note_unreadable
from orchestrator.adapters.saga_store import state_of
from orchestrator.domain.ids import SagaId
from orchestrator.domain.state import SagaState, SagaUnreadableError

_SAGAS = """
SELECT id, saga_type, saga_version, business_key, correlation_id, status, current_step, total_steps, step,
    steps::text AS steps, data, compensation_data::text AS compensation_data, error_code, needs_operator, paused_until,
    epoch, seq, started_at, updated_at, deadline_at, next_wake_at, completed_at, failed_at
FROM saga_execution WHERE {conditions} ORDER BY id DESC LIMIT $1"""
_CONDITIONS: Final = {
    "saga_type": "saga_type = {0}",
    "status": "status = {0}",
    "needs_operator": "needs_operator = {0}",
    "paused": "(paused_until IS NOT NULL) = {0}",
    "step": "{0} = ANY (string_to_array(step, ','))",
    "error_code": "error_code = {0}",
    "business_key": "business_key = {0}",
    "started_before": "started_at < {0} AND status IN ('started', 'compensating')",
    "before_id": "id < {0}",
    "id": "id = {0}",
}

_TIMELINE = """
SELECT seq, epoch, at, kind, entry::text AS entry FROM saga_history
WHERE saga_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"""

_ACTIONS = """
SELECT id, at, action, step, actor_id, reason, bulk_id, outcome FROM operator_action
WHERE saga_id = $1 ORDER BY at DESC, id DESC LIMIT 200"""

_RUNNING = """
SELECT saga_type, count(*) AS running, count(*) FILTER (WHERE needs_operator) AS stuck,
    count(*) FILTER (WHERE next_wake_at < clock_timestamp() - interval '5 seconds') AS overdue,
    coalesce(extract(epoch FROM clock_timestamp() - min(started_at)), 0)::float8 AS oldest_s,
    greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(deadline_at) FILTER (
        WHERE NOT needs_operator AND coalesce(paused_until, '-infinity') < clock_timestamp())), 0))::float8 AS late_s
FROM saga_execution WHERE status IN ('started', 'compensating') GROUP BY saga_type"""

_BY_STATUS = "SELECT status, count(*) AS n FROM saga_execution GROUP BY status ORDER BY status"
_STUCK = "SELECT count(*) FROM saga_execution WHERE needs_operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaFilter:
    """Everything given must hold. ``step`` is one in flight."""

    saga_type: str | None = None
    status: str | None = None
    needs_operator: bool | None = None
    paused: bool | None = None
    step: str | None = None
    error_code: str | None = None
    business_key: str | None = None
    started_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class SagaRow:
    """A saga with what its row knows beyond the state."""

    state: SagaState
    current_step: int
    total_steps: int
    step: str
    updated_at: datetime
    needs_operator: bool
    unreadable: bool  # ``state`` has no steps and no failure then


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One history entry as stored. ``entry`` is what its JSON is, of whatever shape."""

    saga_id: SagaId
    seq: int
    epoch: int
    at: datetime
    kind: str
    entry: Any


async def find_sagas(conn: Connection, wanted: SagaFilter, *, after: SagaId | None, limit: int) -> Sequence[SagaRow]:
    """Newest first; ``after`` is the last id of the page before."""
    return await _sagas_where(conn, {**asdict(wanted), "before_id": after}, limit=limit)


async def get_saga(conn: Connection, saga_id: SagaId) -> SagaRow | None:
    found = await _sagas_where(conn, {"id": saga_id}, limit=1)
    return found[0] if found else None


async def get_timeline(conn: Connection, saga_id: SagaId, *, after_seq: int, limit: int) -> Sequence[TimelineRow]:
    """In order, from the entry after ``after_seq`` on."""
    rows = await conn.fetch(_TIMELINE, saga_id, after_seq, limit)
    return [TimelineRow(saga_id, r["seq"], r["epoch"], r["at"], r["kind"], orjson.loads(r["entry"])) for r in rows]


async def get_actions(conn: Connection, saga_id: SagaId) -> Sequence[Any]:
    """The audit trail of one saga, newest first."""
    return await conn.fetch(_ACTIONS, saga_id)


async def count_running(conn: Connection) -> Mapping[str, Mapping[str, Any]]:
    """What the gauges show, by saga type: ``running``, ``stuck``, ``overdue``, ``oldest_s``, ``late_s``."""
    return {row["saga_type"]: dict(row) for row in await conn.fetch(_RUNNING)}


async def count_by_status(conn: Connection) -> Mapping[str, int]:
    """All that are kept, in the order of the statuses' names."""
    return {row["status"]: row["n"] for row in await conn.fetch(_BY_STATUS)}


async def count_stuck(conn: Connection) -> int:
    """Those that need an operator."""
    stuck: int = await conn.fetchval(_STUCK)
    return stuck


async def _sagas_where(conn: Connection, wanted: Mapping[str, Any], *, limit: int) -> Sequence[SagaRow]:
    """``wanted``: values of ``_CONDITIONS``; those that are None do not matter."""
    given = {name: value for name, value in wanted.items() if value is not None}
    conditions = [_CONDITIONS[name].format(f"${number}") for number, name in enumerate(given, start=2)]
    sql = _SAGAS.format(conditions=" AND ".join(conditions) or "true")
    return [_row(row) for row in await conn.fetch(sql, limit, *given.values())]


def _row(row: Any) -> SagaRow:
    """A row that is damaged is told by the columns that are not."""
    try:
        state, unreadable = state_of(row), False
    except SagaUnreadableError as error:
        note_unreadable(What.SAGA, saga_id=row["id"], error=error.detail)
        readable = {"steps": "[]", "total_steps": 0, "compensation_data": None}
        state, unreadable = state_of({**row, **readable}), True
    return SagaRow(
        state=state,
        current_step=row["current_step"],
        total_steps=row["total_steps"],
        step=row["step"],
        updated_at=row["updated_at"],
        needs_operator=row["needs_operator"],
        unreadable=unreadable,
    )
