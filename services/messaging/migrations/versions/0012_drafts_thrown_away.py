"""A draft that was thrown away stays as its version, so that the next one in the dialog has a greater one."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE draft ADD COLUMN thrown_away_at timestamptz")


def downgrade() -> None:
    op.execute("DELETE FROM draft WHERE thrown_away_at >= updated_at")
    op.execute("ALTER TABLE draft DROP COLUMN thrown_away_at")
