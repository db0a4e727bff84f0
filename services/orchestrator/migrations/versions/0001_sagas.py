"""Sagas, their history and the operators' actions.

Invariants in the schema: SAGA-2 (terminal, or woken), SAGA-4 (an ended saga has its end), SAGA-5 (a saga's history
has each seq once, so a double step cannot be written).
"""

from __future__ import annotations

from alembic import op

import eventing.tables
from chassis import idempotency

revision = "0001"
down_revision = None

SAGA = """
CREATE TABLE saga_execution (
    id uuid PRIMARY KEY,
    saga_type text NOT NULL,
    saga_version integer NOT NULL,
    business_key text NOT NULL CHECK (length(business_key) BETWEEN 1 AND 200),
    correlation_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('started', 'compensating', 'completed', 'failed')),
    terminal boolean NOT NULL GENERATED ALWAYS AS (status IN ('completed', 'failed')) STORED,
    current_step integer NOT NULL,
    total_steps integer NOT NULL,
    step text NOT NULL,
    steps jsonb NOT NULL,
    data bytea NOT NULL,
    compensation_data jsonb,
    error_code text,
    needs_operator boolean NOT NULL DEFAULT false,
    paused_until timestamptz,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    next_wake_at timestamptz,
    completed_at timestamptz,
    failed_at timestamptz,
    CONSTRAINT saga_2_terminal_or_woken CHECK (terminal OR next_wake_at IS NOT NULL),
    CONSTRAINT saga_2_ended_sleeps CHECK (NOT terminal OR next_wake_at IS NULL),
    CONSTRAINT saga_4_completed_at CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CONSTRAINT saga_4_failed_at CHECK ((status = 'failed') = (failed_at IS NOT NULL)),
    CONSTRAINT saga_failed_says_why CHECK (status IN ('started', 'completed') OR compensation_data IS NOT NULL)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1)
"""

INDEXES = (
    "CREATE UNIQUE INDEX saga_execution_business_key ON saga_execution (business_key, saga_type)",
    "CREATE INDEX saga_execution_wake ON saga_execution (next_wake_at) WHERE next_wake_at IS NOT NULL",
    "CREATE INDEX saga_execution_running ON saga_execution (started_at) WHERE status IN ('started', 'compensating')",
    "CREATE INDEX saga_execution_failed ON saga_execution (id) WHERE status = 'failed'",
    "CREATE INDEX saga_execution_needs_operator ON saga_execution (id) WHERE needs_operator",
    "CREATE INDEX saga_execution_error ON saga_execution (error_code, id) WHERE error_code IS NOT NULL",
)

HISTORY = """
CREATE TABLE saga_history (
    saga_id uuid NOT NULL,
    seq bigint NOT NULL,
    epoch bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    entry jsonb NOT NULL,
    CONSTRAINT saga_5_one_entry_per_seq PRIMARY KEY (saga_id, seq)
)
"""

ACTIONS = """
CREATE TABLE operator_action (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    saga_id uuid NOT NULL,
    action text NOT NULL,
    step text,
    actor_id uuid NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    bulk_id uuid,
    outcome text NOT NULL
)
"""


def upgrade() -> None:
    for statement in (
        SAGA,
        *INDEXES,
        HISTORY,
        ACTIONS,
        "CREATE INDEX operator_action_saga ON operator_action (saga_id, at)",
        *eventing.tables.upgrade("orchestrator"),
        *idempotency.upgrade("orchestrator"),
    ):
        op.execute(statement)


def downgrade() -> None:
    for table in ("operator_action", "saga_history", "saga_execution"):
        op.execute(f"DROP TABLE {table}")
    for statement in eventing.tables.downgrade("orchestrator"):
        op.execute(statement)
    op.execute("DROP TABLE idempotency_key")
