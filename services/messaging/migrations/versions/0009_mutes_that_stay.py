"""A mute holds over leaving and coming back: who was muted when they went is muted when they come."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE member ADD COLUMN ended_muted boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE member DROP COLUMN ended_muted")
