"""An index built without blocking writers: alone in its migration, and safe to run twice."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS counter_n")
        op.execute("CREATE INDEX CONCURRENTLY counter_n ON counter (n)")


def downgrade() -> None:
    op.execute("DROP INDEX counter_n")
