"""When a scheduled message that was put off is tried again: it does not stand in the way of others until then."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE scheduled_message ADD COLUMN next_attempt_at timestamptz")
    op.execute("ALTER TABLE scheduled_message ADD COLUMN attempts integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE scheduled_message DROP COLUMN attempts")
    op.execute("ALTER TABLE scheduled_message DROP COLUMN next_attempt_at")
