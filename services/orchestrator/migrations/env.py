"""Alembic's entry, and what the role that serves may do to the tables."""

from chassis.migrations import run
from chassis.rights import Rights
from eventing import tables

# The history of a saga is only added to, and ends with its saga, a month at least after that has ended.
FORGET_SAGAS = """
    CREATE OR REPLACE FUNCTION orchestrator.forget_sagas(p_ids uuid[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = orchestrator, pg_temp AS $$
    DECLARE v_done integer;
    BEGIN
        WITH old AS (
            SELECT id FROM saga_execution
            WHERE id = ANY(p_ids) AND terminal AND coalesce(completed_at, failed_at) < now() - interval '30 days'
            ORDER BY id FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM saga_history WHERE saga_id IN (SELECT id FROM old)
        )
        DELETE FROM saga_execution WHERE id IN (SELECT id FROM old);
        GET DIAGNOSTICS v_done = ROW_COUNT;
        RETURN v_done;
    END $$
"""

run(
    Rights(
        append_only=("saga_history", "operator_action", *tables.APPEND_ONLY),
        never_deleted=("saga_execution",),
        functions={**tables.functions("orchestrator"), "forget_sagas": FORGET_SAGAS},
    )
)
