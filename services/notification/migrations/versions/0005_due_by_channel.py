"""A sender finds what is due on its own channel, however much waits on another."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS delivery_due_of_channel")
        op.execute("""
            CREATE INDEX CONCURRENTLY delivery_due_of_channel
            ON delivery (channel, (priority = 'urgent'), next_attempt_at) WHERE status = 'pending'
        """)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS delivery_due_of_channel")
