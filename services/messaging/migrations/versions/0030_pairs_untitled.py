"""A dialog of two people, or of one and a bot, has no name that one of them gave it: the other could not change it."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("""
        UPDATE dialog SET title = '', description = '', version = version + 1
        WHERE kind IN ('direct', 'bot') AND (title <> '' OR description <> '')
    """)


def downgrade() -> None:
    """What one gave the other to read is not brought back."""
