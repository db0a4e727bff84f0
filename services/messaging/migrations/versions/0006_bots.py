"""Bots, and what waits to be told to them.

MSG-20: per bot ``update_id`` is 1, 2, 3 … in the order things happened in each dialog; what was confirmed is deleted.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE bot (
            bot_id          uuid PRIMARY KEY,
            owner_id        uuid NOT NULL,
            username        text NOT NULL UNIQUE,
            display_name    text NOT NULL,
            commands        jsonb NOT NULL DEFAULT '[]',
            token_hash      bytea NOT NULL UNIQUE,
            webhook_url     text,
            webhook_secret  bytea,
            failing_since   timestamptz,
            failures        integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            last_update_id  bigint NOT NULL DEFAULT 0,
            created_at      timestamptz NOT NULL,
            deleted_at      timestamptz,
            CONSTRAINT msg_21_webhook_has_secret CHECK ((webhook_url IS NULL) = (webhook_secret IS NULL))
        )
    """)
    op.execute("CREATE INDEX bot_of ON bot (owner_id)")
    op.execute("""
        CREATE TABLE bot_update (
            bot_id     uuid NOT NULL,
            update_id  bigint NOT NULL,
            dialog_id  uuid NOT NULL,
            seq        bigint NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (bot_id, update_id)
        )
    """)
    op.execute("CREATE INDEX bot_update_age ON bot_update USING brin (created_at)")


def downgrade() -> None:
    op.execute("DROP TABLE bot_update, bot")
