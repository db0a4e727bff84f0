"""Which version of a person's privacy is kept: it grows with the person, and comes on a topic of its own."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN privacy_version bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE account DROP COLUMN privacy_version")
