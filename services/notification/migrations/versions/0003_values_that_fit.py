"""A delivery's attempts and times are such that a sender can count and compare them: no row stops those leased with it.

Rows that are there already are brought within the bounds; the constraints are validated without a long lock.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

FIRST, LAST = "'2000-01-01 00:00+00'::timestamptz", "'9000-01-01 00:00+00'::timestamptz"
TIMES = ("created_at", "expires_at", "next_attempt_at", "ended_at")
CONSTRAINTS = {
    "attempts_fit": "attempts BETWEEN 0 AND 1000",
    "times_fit": " AND ".join(f"{each} BETWEEN {FIRST} AND {LAST}" for each in TIMES),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, condition in CONSTRAINTS.items():
            # Made new when an interrupted migration runs again.
            op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE delivery DROP CONSTRAINT IF EXISTS {name}")
            op.execute(f"ALTER TABLE delivery ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        # greatest and least pass over NULL: a time that is not there stays so by the CASE.
        fitting = ", ".join(
            f"{each} = CASE WHEN {each} IS NOT NULL THEN least(greatest({each}, {FIRST}), {LAST}) END" for each in TIMES
        )
        op.execute(f"""
            UPDATE delivery SET attempts = least(greatest(attempts, 0), 1000), {fitting}
            WHERE NOT (({CONSTRAINTS["attempts_fit"]}) AND ({CONSTRAINTS["times_fit"]}))
        """)
        for name in CONSTRAINTS:
            op.execute(f"ALTER TABLE delivery VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    for name in CONSTRAINTS:
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE delivery DROP CONSTRAINT IF EXISTS {name}")
