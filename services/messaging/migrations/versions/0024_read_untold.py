"""How far each member had read while they did not tell it: that is not told when they tell again."""

from alembic import op

revision = "0024"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE member ADD COLUMN read_untold_seq bigint NOT NULL DEFAULT 0")
    op.execute(
        "UPDATE member m SET read_untold_seq = m.read_seq FROM account a "
        "WHERE a.user_id = m.user_id AND NOT a.read_receipts AND m.read_seq > 0"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE member DROP COLUMN read_untold_seq")
