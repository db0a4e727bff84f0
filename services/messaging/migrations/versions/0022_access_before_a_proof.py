"""When a bot was given its token and its webhook, and whose an invite is: what is older than somebody's first proof of
their address ends with it.
"""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    for column in ("token_at", "webhook_at"):
        op.execute(f"ALTER TABLE bot ADD COLUMN IF NOT EXISTS {column} timestamptz")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS invite_by")
        op.execute("CREATE INDEX CONCURRENTLY invite_by ON invite (created_by) WHERE revoked_at IS NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE bot DROP COLUMN IF EXISTS webhook_at, DROP COLUMN IF EXISTS token_at")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS invite_by")
