"""How often everything that could act for a person was ended (AUTH-12); their access tokens say it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE auth.user_account ADD COLUMN IF NOT EXISTS access_epoch integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    """The counts stay: other services know them, and one that begins again at 0 would be refused there."""
