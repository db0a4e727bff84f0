"""What operators look at: sagas by filter, one saga, its timeline. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from chassis.postgres import Connection, fetch
from orchestrator.adapters.metrics import What, note_unreadable
from orchestrator.adapters.saga_store import state_of
from orchestrator.domain.ids import SagaId
from orchestrator.domain.state import SagaState, SagaUnreadableError

# As the operators' dynamic queries need it. The migrations are the truth.
saga = sa.Table(
    "saga_execution",
    sa.MetaData(),
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("saga_type", sa.Text),
    sa.Column("saga_version", sa.Integer),
    sa.Column("business_key", sa.Text),
    sa.Column("correlation_id", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("terminal", sa.Boolean),
    sa.Column("current_step", sa.Integer),
    sa.Column("total_steps", sa.Integer),
    sa.Column("step", sa.Text),
    sa.Column("steps", pg.JSONB),
    sa.Column("data", pg.BYTEA),
    sa.Column("compensation_data", pg.JSONB),
    sa.Column("error_code", sa.Text),
    sa.Column("needs_operator", sa.Boolean),
    sa.Column("paused_until", sa.DateTime(timezone=True)),
    sa.Column("epoch", sa.BigInteger),
    sa.Column("seq", sa.BigInteger),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("updated_at", sa.DateTime(timezone=True)),
    sa.Column("deadline_at", sa.DateTime(timezone=True)),
    sa.Column("next_wake_at", sa.DateTime(timezone=True)),
    sa.Column("completed_at", sa.DateTime(timezone=True)),
    sa.Column("failed_at", sa.DateTime(timezone=True)),
)

_COLUMNS: Final = [
    *(column for column in saga.c if column.name not in {"steps", "compensation_data", "data"}),
    sa.cast(saga.c.steps, sa.Text).label("steps"),
    sa.cast(saga.c.compensation_data, sa.Text).label("compensation_data"),
    saga.c.data,
]


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
    query = sa.select(*_COLUMNS).where(*_conditions(wanted)).order_by(saga.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(saga.c.id < after)
    return [_row(row) for row in await fetch(conn, query)]


async def get_saga(conn: Connection, saga_id: SagaId) -> SagaRow | None:
    rows = await fetch(conn, sa.select(*_COLUMNS).where(saga.c.id == saga_id))
    return _row(rows[0]) if rows else None


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


def _conditions(wanted: SagaFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    for column, value in (
        (saga.c.saga_type, wanted.saga_type),
        (saga.c.status, wanted.status),
        (saga.c.needs_operator, wanted.needs_operator),
        (saga.c.error_code, wanted.error_code),
        (saga.c.business_key, wanted.business_key),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.paused is not None:
        conditions.append(saga.c.paused_until.is_not(None) if wanted.paused else saga.c.paused_until.is_(None))
    if wanted.step is not None:
        conditions.append(sa.literal(wanted.step) == sa.any_(sa.func.string_to_array(saga.c.step, ",")))
    if wanted.started_before is not None:
        conditions += [saga.c.started_at < wanted.started_before, saga.c.status.in_(("started", "compensating"))]
    return conditions


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
