"""SAGA-7 for the sagas that were there before it: a moment beyond what can be read becomes the first or last that can."""

from alembic import op

revision = "0005"
down_revision = "0004"

COLUMNS = ("paused_until", "started_at", "updated_at", "deadline_at", "next_wake_at", "completed_at", "failed_at")
FIRST, LAST = "timestamptz '0001-01-02 00:00+00'", "timestamptz '9999-12-30 00:00+00'"


def upgrade() -> None:
    # NULL stays NULL: least and greatest alone would pass over it.
    moments = ", ".join(
        f"{column} = CASE WHEN {column} IS NOT NULL THEN least(greatest({column}, {FIRST}), {LAST}) END"
        for column in COLUMNS
    )
    unreadable = " OR ".join(f"{column} NOT BETWEEN {FIRST} AND {LAST}" for column in COLUMNS)
    op.execute(f"UPDATE saga_execution SET {moments} WHERE {unreadable}")
    op.execute("ALTER TABLE saga_execution VALIDATE CONSTRAINT saga_7_moments_are_readable")


def downgrade() -> None:
    """The constraint itself is the migration's before."""
