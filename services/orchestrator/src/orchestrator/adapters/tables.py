"""The tables as SQLAlchemy knows them, for the operators' dynamic queries. The migrations are the truth."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

metadata = sa.MetaData()

saga_execution = sa.Table(
    "saga_execution",
    metadata,
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
