"""When a bot was given its token and its webhook, and whose an invite is: what is older than somebody's first proof of
their address ends with it.
"""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE bot ADD COLUMN token_at timestamptz, ADD COLUMN webhook_at timestamptz")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS invite_by")
        op.execute("CREATE INDEX CONCURRENTLY invite_by ON invite (created_by) WHERE revoked_at IS NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE bot DROP COLUMN webhook_at, DROP COLUMN token_at")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS invite_by")
