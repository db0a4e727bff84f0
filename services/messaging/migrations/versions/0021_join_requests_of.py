"""Finds the requests to join that somebody has made: they end with the account."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS join_request_of")
        op.execute("CREATE INDEX CONCURRENTLY join_request_of ON join_request (user_id) WHERE status = 'pending'")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS join_request_of")
