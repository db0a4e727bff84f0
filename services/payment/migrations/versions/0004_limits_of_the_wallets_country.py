"""Limits in the zone of the wallet's country, failures of single rows, and charges in suspense that come to an end."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    _execute("0004_tables.sql", "0004_ledger.sql")


def downgrade() -> None:
    _execute("0004_down.sql", "0002_ledger.sql")
    op.execute("DROP FUNCTION country_zone")


def _execute(*names: str) -> None:
    for name in names:
        for statement in (_SQL / name).read_text().split("\n-- ;;\n"):
            op.execute(statement)
