"""A table to count in, a ledger with a partition and a wall, and labels."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE counter (id integer PRIMARY KEY, n bigint NOT NULL)")
    op.execute("INSERT INTO counter SELECT g, 0 FROM generate_series(1, 1000) g")
    op.execute("CREATE TABLE ledger (id integer NOT NULL, user_id text NOT NULL) PARTITION BY RANGE (id)")
    op.execute("CREATE TABLE ledger_default PARTITION OF ledger DEFAULT")
    op.execute("ALTER TABLE ledger ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own ON ledger USING (user_id = current_setting('sampan.user_id', true))")
    op.execute("CREATE TABLE label (name text PRIMARY KEY)")
    op.execute("CREATE SEQUENCE number")


def downgrade() -> None:
    op.execute("DROP SEQUENCE number")
    op.execute("DROP TABLE label, ledger, counter")
