"""What people got and read while they were in a dialog before they left it: it stays true when they come back.

Who came back before this is known only by their present stay.
"""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE member
            ADD COLUMN got_before int8multirange NOT NULL DEFAULT '{}',
            ADD COLUMN read_before int8multirange NOT NULL DEFAULT '{}'
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE member DROP COLUMN got_before, DROP COLUMN read_before")
