"""The job that makes search columns again finds what is left by an index of that alone."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS product_fold_again")
        op.execute("CREATE INDEX CONCURRENTLY product_fold_again ON product (id) WHERE fold_again")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS product_fold_again")
