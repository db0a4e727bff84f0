"""Finds who deleted a message for themselves: what happens to it later is not shown to them."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS hidden_message_by")
        op.execute("CREATE INDEX CONCURRENTLY hidden_message_by ON hidden_message (dialog_id, seq) INCLUDE (user_id)")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS hidden_message_by")
