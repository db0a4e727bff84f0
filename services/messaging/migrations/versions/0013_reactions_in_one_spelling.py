"""Reactions that were kept in other spellings of their emoji are one with those in its full spelling."""

from alembic import op
from sqlalchemy import text

from messaging.adapters.emojis import emoji_of
from messaging.domain.reactions import NotAnEmojiError

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    conn = op.get_bind()
    for (kept,) in conn.execute(text("SELECT DISTINCT emoji FROM reaction")).fetchall():
        try:
            written = emoji_of(kept)
        except NotAnEmojiError:
            continue
        if written != kept:
            conn.execute(
                text(
                    "WITH gone AS (DELETE FROM reaction WHERE emoji = :kept RETURNING *) "
                    "INSERT INTO reaction (dialog_id, seq, emoji, user_id, created_at) "
                    "SELECT dialog_id, seq, :written, user_id, created_at FROM gone ON CONFLICT DO NOTHING"
                ),
                {"kept": kept, "written": written},
            )


def downgrade() -> None:
    """The full spelling is right for every version."""
