"""One table."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE counter (id integer PRIMARY KEY, n bigint NOT NULL)")
    op.execute("INSERT INTO counter SELECT g, 0 FROM generate_series(1, 1000) g")


def downgrade() -> None:
    op.execute("DROP TABLE counter")
