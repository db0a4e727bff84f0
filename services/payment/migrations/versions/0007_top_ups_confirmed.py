"""Top-ups that ended have a timer until their provider's list is in the books, and open ones all pending charges.

What the previous version ends meanwhile has none. Written so that it can be begun again after its index failed.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE top_up ADD COLUMN IF NOT EXISTS confirm_at timestamptz,"
        " ADD COLUMN IF NOT EXISTS pending_charge_ids text[] NOT NULL DEFAULT '{}'"
    )
    op.execute(
        "UPDATE top_up SET pending_charge_ids = ARRAY[provider_charge_id]"
        " WHERE next_attempt_at IS NOT NULL AND provider_charge_id IS NOT NULL AND pending_charge_ids = '{}'"
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS top_up_to_confirm")
        op.execute("CREATE INDEX CONCURRENTLY top_up_to_confirm ON top_up (confirm_at) WHERE confirm_at IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE top_up DROP COLUMN IF EXISTS confirm_at, DROP COLUMN IF EXISTS pending_charge_ids")
