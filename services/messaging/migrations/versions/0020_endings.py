"""Accounts that have ended, people's and bots', and what is still to be tidied after them.

``account_ending.due_at``: when their dialogs are looked over next; null when all is done.
"""

from alembic import op

revision = "0020"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE account ADD COLUMN ended_at timestamptz")
    op.execute("""
        CREATE TABLE account_ending (
            user_id      uuid PRIMARY KEY,
            requested_at timestamptz NOT NULL,
            due_at       timestamptz
        )
    """)
    op.execute("CREATE INDEX account_ending_due ON account_ending (due_at) WHERE due_at IS NOT NULL")
    # Those who went before: deleted or erased people, their bots, and bots that were ended.
    op.execute("""
        INSERT INTO account (user_id, ended_at)
        SELECT user_id, requested_at FROM person_erasure WHERE reason = 'account_deleted'
        ON CONFLICT (user_id) DO UPDATE SET ended_at = excluded.ended_at
    """)
    op.execute("UPDATE account SET ended_at = erased_at WHERE ended_at IS NULL AND erased_at IS NOT NULL")
    op.execute("""
        UPDATE bot SET deleted_at = a.ended_at, webhook_url = NULL, webhook_secret = NULL
        FROM account a WHERE a.user_id = bot.owner_id AND a.ended_at IS NOT NULL AND bot.deleted_at IS NULL
    """)
    op.execute("""
        UPDATE account SET ended_at = b.deleted_at
        FROM bot b WHERE b.bot_id = account.user_id AND b.deleted_at IS NOT NULL AND account.ended_at IS NULL
    """)
    op.execute("""
        INSERT INTO account_ending (user_id, requested_at, due_at)
        SELECT user_id, now(), now() FROM account WHERE ended_at IS NOT NULL
    """)


def downgrade() -> None:
    op.execute("DROP TABLE account_ending")
    op.execute("ALTER TABLE account DROP COLUMN ended_at")
