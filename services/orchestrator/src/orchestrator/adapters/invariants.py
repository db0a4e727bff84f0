"""The invariants of orchestrator (``python -m orchestrator audit``): queries of the sagas that break them.

Beside them, histories are replayed with today's code.
"""

from __future__ import annotations

from typing import Final

from chassis.postgres import Connection
from kernel.errors import DomainError
from operations.invariants import Check
from orchestrator.adapters.history_store import read_history, sent_by
from orchestrator.adapters.saga_store import state_of
from orchestrator.domain.history import replay_history
from orchestrator.domain.ids import SagaId
from orchestrator.domain.registry import SagaRegistry, UnknownDefinitionError

OVERDUE_S: Final = 10

CHECKS: Final = (
    Check(
        "SAGA-2",
        "orphans: not ended, yet nothing will wake them",
        "SELECT id FROM saga_execution WHERE NOT terminal AND next_wake_at IS NULL",
    ),
    Check(
        "SAGA",
        f"overdue: their wake-up is more than {OVERDUE_S} s past",
        f"SELECT id FROM saga_execution WHERE next_wake_at < clock_timestamp() - interval '{OVERDUE_S} seconds'",
    ),
    Check(
        "SAGA-4",
        "ended without the moment of their end, or with two",
        "SELECT id FROM saga_execution"
        " WHERE terminal <> (num_nonnulls(completed_at, failed_at) = 1) OR (terminal AND next_wake_at IS NOT NULL)",
    ),
    Check(
        "SAGA",
        "failed or compensating without a reason",
        "SELECT id FROM saga_execution WHERE status IN ('failed', 'compensating') AND compensation_data IS NULL",
    ),
    Check(
        "SAGA-6",
        "ended with a step still in flight",
        "SELECT id FROM saga_execution WHERE terminal AND step <> ''",
    ),
    Check(
        "SAGA-6",
        "ended with a step unsettled: skipped before there were tasks, or done and neither undone nor completed",
        "SELECT id FROM saga_execution AS saga WHERE terminal AND EXISTS ("
        "  SELECT FROM jsonb_array_elements(CASE jsonb_typeof(saga.steps) WHEN 'array' THEN saga.steps ELSE '[]' END)"
        "    WITH ORDINALITY AS step (state, place)"
        "  WHERE state ->> 0 = ANY ('{skipped,undo_skipped,unsettled,undo_unsettled,running,undoing}')"
        "     OR (saga.status = 'failed' AND state ->> 0 = 'done' AND place < saga.total_steps)"
        "     OR (saga.status = 'completed' AND state ->> 0 = ANY ('{rejected,undone,undo_by_hand,undo_done_twice}')))",
    ),
    Check(
        "SAGA-6",
        "a step done by hand and by its participant too, and nobody has said that one of both was taken back",
        "SELECT id FROM saga_execution"
        """ WHERE jsonb_path_exists(steps, '$[*][0] ? (@ == "done_twice" || @ == "undo_done_twice")')""",
    ),
    Check(
        "SAGA",
        "its row cannot be read: its steps are no list or not as many as there were, or its failure is no object",
        "SELECT id FROM saga_execution WHERE jsonb_typeof(compensation_data) <> 'object' OR CASE jsonb_typeof(steps)"
        "  WHEN 'array' THEN jsonb_array_length(steps) <> total_steps ELSE true END",
    ),
    Check(
        "SAGA-5",
        "history with a hole, or not as long as the saga's count of transitions",
        "SELECT saga.id FROM saga_execution AS saga LEFT JOIN LATERAL ("
        "  SELECT count(*) AS entries, max(seq) AS last FROM saga_history WHERE saga_id = saga.id"
        ") AS history ON true WHERE history.entries <> saga.seq OR history.last IS DISTINCT FROM saga.seq",
    ),
    Check(
        "SAGA-5",
        "history of a saga that is not there",
        "SELECT DISTINCT saga_id AS id FROM saga_history AS h"
        " WHERE NOT EXISTS (SELECT FROM saga_execution WHERE id = h.saga_id)",
    ),
    Check(
        "SAGA",
        "two sagas of a type for one business key",
        "SELECT min(id::text)::uuid AS id FROM saga_execution GROUP BY saga_type, business_key HAVING count(*) > 1",
    ),
)

_RUNNING_AND_NEWEST = """
(SELECT id FROM saga_execution WHERE NOT terminal)
UNION (SELECT id FROM saga_execution WHERE terminal ORDER BY id DESC LIMIT $1)"""

_SAGA = """
SELECT *, steps::text AS steps, compensation_data::text AS compensation_data FROM saga_execution WHERE id = $1"""


async def find_differences(
    conn: Connection, registry: SagaRegistry, *, sample: int
) -> tuple[int, list[tuple[SagaId, list[str]]]]:
    """Replay the histories of every saga that runs and of the ``sample`` newest that ended.

    Returns how many were replayed, and the sagas that today's code would have run differently.
    """
    rows = await conn.fetch(_RUNNING_AND_NEWEST, sample)
    different = []
    for row in rows:
        try:
            problems = await _replay(conn, registry, row["id"])
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, DomainError) as error:
            problems = [f"its history cannot be read or replayed: {type(error).__name__}: {error}"]
        if problems:
            different.append((row["id"], problems))
    return len(rows), different


async def _replay(conn: Connection, registry: SagaRegistry, saga_id: SagaId) -> list[str]:
    saga = await conn.fetchrow(_SAGA, saga_id)
    if saga is None:
        return []
    try:
        definition = registry.pinned(saga["saga_type"], saga["saga_version"])
    except UnknownDefinitionError as error:
        return [error.detail]
    return replay_history(definition, await read_history(conn, saga), state_of(saga), sent_by=sent_by)
