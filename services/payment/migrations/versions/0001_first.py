"""Payment's tables, the ledger function, the chassis' and eventing's tables, and the first tier limits."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from chassis import idempotency
from eventing import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
_OBJECTS = (
    "FUNCTION ledger_execute",
    "FUNCTION spending_refresh",
    "FUNCTION ensure_transaction_months",
    "TABLE provider_event",
    "TABLE provider_line",
    "TABLE top_up",
    "TABLE tier_limit",
    "TABLE spending_month",
    "TABLE spending",
    "TABLE wallet_transaction",
    "TABLE hold",
    "TABLE refusal",
    "TABLE posting",
    "TABLE transfer",
    "TABLE account",
    "TABLE payer",
)


def upgrade() -> None:
    for name in ("0001_tables.sql", "0001_ledger.sql", "0001_limits.sql"):
        for statement in (_SQL / name).read_text().split("\n-- ;;\n"):
            op.execute(statement)
    for statement in [*tables.upgrade("payment"), *idempotency.upgrade("payment")]:
        op.execute(statement)


def downgrade() -> None:
    for statement in ["DROP TABLE idempotency_key", *tables.downgrade("payment")]:
        op.execute(statement)
    for name in _OBJECTS:
        op.execute(f"DROP {name}")
