"""Operators ask for the charges in review, oldest first: an index of those alone."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS provider_line_in_review")
        op.execute(
            "CREATE INDEX CONCURRENTLY provider_line_in_review ON provider_line (seen_at, transfer_id)"
            " WHERE review_state IN ('open', 'returning')"
        )


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS provider_line_in_review")
