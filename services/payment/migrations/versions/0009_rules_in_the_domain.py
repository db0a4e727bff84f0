"""Holds that are charged at once can be returned. ``ledger_execute`` is used by the version before alone, and stays for it."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATES = "('authorized', 'captured', 'settled', 'voided', 'expired')"
_STATES_NOW = "('authorized', 'captured', 'settled', 'voided', 'expired', 'returned')"


def upgrade() -> None:
    _check_state(_STATES_NOW)


def downgrade() -> None:
    _check_state(_STATES)


def _check_state(states: str) -> None:
    op.execute("ALTER TABLE hold DROP CONSTRAINT hold_state_check")
    op.execute(f"ALTER TABLE hold ADD CONSTRAINT hold_state_check CHECK (state IN {states}) NOT VALID")
    op.execute("ALTER TABLE hold VALIDATE CONSTRAINT hold_state_check")
