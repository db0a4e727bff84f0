"""A message is in a person's activity feed once: what was written beside the one row is deleted.

It was a second row where a call for all, or of a role, was marked as read beside the message's own row, and the calls
of roles beside a call for all.
"""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute(
        "DELETE FROM activity a USING activity o WHERE a.dedupe_key LIKE 'all:%' AND o.user_id = a.user_id "
        "AND o.dialog_id = a.dialog_id AND o.seq = a.seq AND o.type IN ('mention', 'reply') "
        "AND (o.dedupe_key NOT LIKE 'all:%' OR o.dedupe_key < a.dedupe_key)"
    )
    op.execute(
        "DELETE FROM activity_for_all r USING activity_for_all f WHERE f.dialog_id = r.dialog_id AND f.seq = r.seq "
        "AND f.target = '@all' AND r.target <> '@all'"
    )


def downgrade() -> None:
    """What was deleted was there twice."""
