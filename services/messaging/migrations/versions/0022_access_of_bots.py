"""When a bot was given its token and its webhook: what is older than its owner's first proof ends with it."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE bot ADD COLUMN token_at timestamptz, ADD COLUMN webhook_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE bot DROP COLUMN webhook_at, DROP COLUMN token_at")
