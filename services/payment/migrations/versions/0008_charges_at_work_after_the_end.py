"""Top-ups know of an attempt without an answer; one that ended beside a charge at work is asked about again.

What the previous version leases meanwhile knows of none until its next lease.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE top_up ADD COLUMN IF NOT EXISTS unanswered boolean NOT NULL DEFAULT false")
    op.execute(
        "UPDATE top_up SET confirm_at = now() WHERE next_attempt_at IS NULL AND confirm_at IS NULL"
        " AND pending_charge_ids <> '{}' AND NOT pending_charge_ids <@ ARRAY[provider_charge_id]"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE top_up DROP COLUMN IF EXISTS unanswered")
