"""Whose account ended, for good; and products whose search columns are made again after a change of the folding."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE TABLE account_ended (user_id uuid PRIMARY KEY, ended_at timestamptz NOT NULL)")
    # True for what is there and for what the previous version adds: the job folds it as this version does.
    op.execute("ALTER TABLE product ADD COLUMN fold_again boolean NOT NULL DEFAULT true")


def downgrade() -> None:
    op.execute("ALTER TABLE product DROP COLUMN fold_again")
    op.execute("DROP TABLE account_ended")
