"""A column."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE counter ADD COLUMN label text")


def downgrade() -> None:
    op.execute("ALTER TABLE counter DROP COLUMN label")
