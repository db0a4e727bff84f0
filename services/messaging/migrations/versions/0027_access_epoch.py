"""Up to which epoch of a person's access everything that acted for them was ended.

The columns of 0022 are not needed any more; they stay for the previous version, and a later one drops them.
"""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN IF NOT EXISTS access_epoch integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    """The epochs stay: tokens go on saying them, and who comes back to this version must know them."""
