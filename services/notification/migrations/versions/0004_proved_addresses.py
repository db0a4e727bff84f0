"""Whether a person's address was shown to be theirs; unknown of people told about before auth tells it."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE recipient ADD COLUMN email_proved boolean, ADD COLUMN phone_proved boolean")


def downgrade() -> None:
    op.execute("ALTER TABLE recipient DROP COLUMN email_proved, DROP COLUMN phone_proved")
