"""What a wallet's open top-ups add up to is asked at every top-up: an index of the open ones alone."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS top_up_open_of_wallet")
        op.execute(
            "CREATE INDEX CONCURRENTLY top_up_open_of_wallet ON top_up (wallet_id) WHERE next_attempt_at IS NOT NULL"
        )


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS top_up_open_of_wallet")
