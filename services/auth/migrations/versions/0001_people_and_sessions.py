"""People, sessions, codes, keys, attempts and the audit log."""

from __future__ import annotations

from pathlib import Path

from alembic import op

from eventing import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "auth"
TABLES = (
    "security_event",
    "login_attempt",
    "one_time_code",
    "session",
    "password_history",
    "signing_key",
    "user_account",
)


def upgrade() -> None:
    for statement in tables.upgrade(SCHEMA):
        op.execute(statement)
    for statement in Path(__file__).with_name("0001_up.sql").read_text().split("\n-- ;;\n"):
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {SCHEMA}.{table}")
    op.execute(f"DROP FUNCTION {SCHEMA}.ensure_months(text, integer)")
    op.execute(f"DROP FUNCTION {SCHEMA}.drop_months(text, integer)")
    op.execute(f"DROP FUNCTION {SCHEMA}.refuse_rewriting()")
    for statement in tables.downgrade(SCHEMA):
        op.execute(statement)
