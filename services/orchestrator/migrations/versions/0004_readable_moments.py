"""SAGA-7: every moment of a saga is one that can be read. One that cannot (infinity, a year beyond 9999) would stop the
timers and gauges of all sagas. Validated in the next migration, without holding up writers.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS = ("paused_until", "started_at", "updated_at", "deadline_at", "next_wake_at", "completed_at", "failed_at")
FIRST, LAST = "timestamptz '0001-01-02 00:00+00'", "timestamptz '9999-12-30 00:00+00'"


def upgrade() -> None:
    readable = " AND ".join(f"{column} BETWEEN {FIRST} AND {LAST}" for column in COLUMNS)
    op.execute(f"ALTER TABLE saga_execution ADD CONSTRAINT saga_7_moments_are_readable CHECK ({readable}) NOT VALID")


def downgrade() -> None:
    op.execute("ALTER TABLE saga_execution DROP CONSTRAINT saga_7_moments_are_readable")
