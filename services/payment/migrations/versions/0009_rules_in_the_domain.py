"""A hold that was charged at once can be returned.

``ledger_execute`` is called by the version before this one alone, and stays for it.
"""

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
    """In one statement, so that there is no moment without a check."""
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE hold DROP CONSTRAINT hold_state_check,"
        f" ADD CONSTRAINT hold_state_check CHECK (state IN {states}) NOT VALID"
    )
