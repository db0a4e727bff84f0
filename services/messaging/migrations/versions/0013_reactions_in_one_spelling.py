"""Reactions that were kept in other spellings of their emoji are one with those in its full spelling."""

from alembic import op

from messaging.core.adapters.emoji_gateway import other_spellings

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    spellings = ", ".join(f"('{kept}', '{written}')" for kept, written in other_spellings().items())
    op.execute(f"""
        WITH spelling (kept, written) AS (VALUES {spellings}), gone AS (
            DELETE FROM reaction USING spelling WHERE reaction.emoji = spelling.kept RETURNING reaction.*, written
        )
        INSERT INTO reaction (dialog_id, seq, emoji, user_id, created_at)
        SELECT DISTINCT ON (dialog_id, seq, written, user_id) dialog_id, seq, written, user_id, created_at
        FROM gone ORDER BY dialog_id, seq, written, user_id, created_at
        ON CONFLICT DO NOTHING
    """)


def downgrade() -> None:
    """The full spelling is right for every version."""
