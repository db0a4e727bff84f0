"""Finds whom a message concerned, when it is deleted or its time is over."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS activity_of_message")
        op.execute("CREATE INDEX CONCURRENTLY activity_of_message ON activity (dialog_id, seq) WHERE seq IS NOT NULL")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS activity_of_message")
