"""The ledger's functions are those of one file, ``functions/ledger.sql``; they are what they were."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MIGRATIONS = Path(__file__).parent.parent


def upgrade() -> None:
    _execute("functions/ledger.sql")


def downgrade() -> None:
    _execute("sql/0004_ledger.sql")


def _execute(name: str) -> None:
    for statement in (_MIGRATIONS / name).read_text().split("\n-- ;;\n"):
        op.execute(statement)
