"""People whose account ended are found by when it did, without reading all that are known."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS recipient_ended")
        op.execute("CREATE INDEX CONCURRENTLY recipient_ended ON recipient (erased_at) WHERE erased_at IS NOT NULL")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS recipient_ended")
