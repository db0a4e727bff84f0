"""How people stand to each other: requests, friends, blocks, follows; and two more choices about privacy.

AUTH-20: between two people there is at most one request that waits.
AUTH-21: who blocks another, either way, has no friendship, follow or waiting request with them.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE auth.user_account ADD COLUMN direct_messages_from text NOT NULL DEFAULT 'everyone'")
    op.execute("ALTER TABLE auth.user_account ADD COLUMN read_receipts boolean NOT NULL DEFAULT true")
    op.execute("""
        ALTER TABLE auth.user_account ADD CONSTRAINT user_account_direct_messages_from
        CHECK (direct_messages_from IN ('everyone', 'friends', 'nobody')) NOT VALID
    """)
    op.execute("""
        CREATE TABLE auth.friend_request (
            request_id uuid PRIMARY KEY,
            pair_id    text NOT NULL,
            from_id    uuid NOT NULL,
            to_id      uuid NOT NULL,
            message    text NOT NULL DEFAULT '' CHECK (char_length(message) <= 300),
            status     text NOT NULL CHECK (status IN ('pending', 'accepted', 'declined', 'cancelled')),
            created_at timestamptz NOT NULL,
            decided_at timestamptz,
            CONSTRAINT friend_request_not_to_oneself CHECK (from_id <> to_id)
        )
    """)
    op.execute("CREATE UNIQUE INDEX auth_20_one_waits ON auth.friend_request (pair_id) WHERE status = 'pending'")
    op.execute("CREATE INDEX friend_request_to ON auth.friend_request (to_id, created_at DESC, request_id DESC)")
    op.execute("CREATE INDEX friend_request_from ON auth.friend_request (from_id, created_at DESC, request_id DESC)")
    op.execute("""
        CREATE TABLE auth.relation (
            kind    text NOT NULL CHECK (kind IN ('friend', 'block', 'follow')),
            from_id uuid NOT NULL,
            to_id   uuid NOT NULL,
            version bigint NOT NULL CHECK (version >= 1),
            active  boolean NOT NULL,
            since   timestamptz NOT NULL,
            PRIMARY KEY (kind, from_id, to_id),
            CONSTRAINT relation_not_to_oneself CHECK (from_id <> to_id)
        )
    """)
    op.execute("CREATE INDEX relation_of ON auth.relation (kind, from_id, since DESC, to_id DESC) WHERE active")
    op.execute("CREATE INDEX relation_to ON auth.relation (kind, to_id, since DESC, from_id DESC) WHERE active")


def downgrade() -> None:
    op.execute("DROP TABLE auth.relation, auth.friend_request")
    op.execute("ALTER TABLE auth.user_account DROP COLUMN read_receipts, DROP COLUMN direct_messages_from")
