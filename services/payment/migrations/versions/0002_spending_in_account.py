"""A wallet's limits and what it spent move into its account row; the ledger function reads and writes them there."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    for name in ("0002_tables.sql", "0002_ledger.sql"):
        for statement in (_SQL / name).read_text().split("\n-- ;;\n"):
            op.execute(statement)


def downgrade() -> None:
    for statement in (_SQL / "0002_down.sql").read_text().split("\n-- ;;\n"):
        op.execute(statement)
    for statement in (_SQL / "0001_ledger.sql").read_text().split("\n-- ;;\n"):
        op.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
