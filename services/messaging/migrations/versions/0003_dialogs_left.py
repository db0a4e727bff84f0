"""Finds the dialogs a person was in once: an erasure reaches what they wrote there too."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS member_left")
        op.execute(
            "CREATE INDEX CONCURRENTLY member_left ON member (user_id, dialog_id) "
            "WHERE status NOT IN ('active', 'muted')"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS member_left")
