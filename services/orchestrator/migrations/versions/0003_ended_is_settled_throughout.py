"""SAGA-6 for the sagas that were there before it."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE saga_execution VALIDATE CONSTRAINT saga_6_ended_is_settled")


def downgrade() -> None:
    """The constraint itself is the migration's before."""
