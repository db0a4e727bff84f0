"""Dialogs, members, messages, the stream of changes, the copies of people and blocks, and what hangs on a message.

MSG-1: per dialog, the seqs of ``message`` and ``change`` together are 1, 2, 3 … ``dialog.last_seq``, without a hole.
MSG-2: ``message.message_no`` counts the dialog's messages: 1, 2, 3 … ``dialog.last_message_no`` in order of seq.
MSG-3: a (dialog, sender, client_message_id) has one message.
"""

from alembic import op

import eventing.tables
from chassis import idempotency

revision = "0001"
down_revision = None

WORKSPACE_WALL = "current_setting('sampan.workspace_id', true) IN ('*', workspace_id::text)"
OWN_WALL = "coalesce(current_setting('sampan.user_id', true), '') IN ('', user_id::text)"


def upgrade() -> None:
    for statement in (*eventing.tables.upgrade("messaging"), *idempotency.upgrade("messaging")):
        op.execute(statement)
    for statement in (*PEOPLE, *DIALOGS, *MESSAGES, *ON_MESSAGES, *PER_PERSON):
        op.execute(statement)
    for table in ("dialog", "member", "message", "change"):
        _wall(table, "workspace_rows", WORKSPACE_WALL)
    for table in ("draft", "hidden_message", "scheduled_message", "account_change", "activity"):
        _wall(table, "own_rows", OWN_WALL)


def downgrade() -> None:
    op.execute("DROP TABLE report, activity, scheduled_message, draft, hidden_message, account_change")
    op.execute("DROP TABLE entity, card, poll_vote, poll, pinned_message, reaction, mention, message_revision")
    op.execute("DROP TABLE sent_message, dialog_month, change, message, join_request, invite, member, dialog")
    op.execute("DROP TABLE friendship, block, person_key, account")
    for statement in (*idempotency.downgrade("messaging"), *eventing.tables.downgrade("messaging")):
        op.execute(statement)


def _wall(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {name} ON {table} USING ({condition})")


PEOPLE = (
    """
    CREATE TABLE account (
        user_id              uuid PRIMARY KEY,
        version              bigint NOT NULL DEFAULT 0,
        display_name         text NOT NULL DEFAULT '',
        username             text NOT NULL DEFAULT '',
        avatar_url           text NOT NULL DEFAULT '',
        locale               text NOT NULL DEFAULT 'en-US',
        is_bot               boolean NOT NULL DEFAULT false,
        direct_from          text NOT NULL DEFAULT 'everyone' CHECK (direct_from IN ('everyone', 'friends', 'nobody')),
        presence_to          text NOT NULL DEFAULT 'everyone' CHECK (presence_to IN ('everyone', 'friends', 'nobody')),
        last_seen_to         text NOT NULL DEFAULT 'everyone' CHECK (last_seen_to IN ('everyone', 'friends', 'nobody')),
        read_receipts        boolean NOT NULL DEFAULT true,
        last_seen_at         timestamptz,
        last_account_seq     bigint NOT NULL DEFAULT 0,
        oldest_account_seq   bigint NOT NULL DEFAULT 1,
        erased_at            timestamptz
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE person_key (
        user_id     uuid PRIMARY KEY,
        wrapped_key bytea,
        created_at  timestamptz NOT NULL,
        shredded_at timestamptz,
        CONSTRAINT msg_4_shredded_has_no_key CHECK ((wrapped_key IS NULL) = (shredded_at IS NOT NULL))
    )
    """,
    """
    CREATE TABLE block (
        blocker_id uuid NOT NULL,
        blocked_id uuid NOT NULL,
        version    bigint NOT NULL,
        active     boolean NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (blocker_id, blocked_id)
    )
    """,
    "CREATE INDEX block_of ON block (blocked_id) WHERE active",
    """
    CREATE TABLE friendship (
        user_id    uuid NOT NULL,
        friend_id  uuid NOT NULL,
        version    bigint NOT NULL,
        active     boolean NOT NULL,
        PRIMARY KEY (user_id, friend_id)
    )
    """,
)

DIALOGS = (
    """
    CREATE TABLE dialog (
        dialog_id       uuid PRIMARY KEY,
        workspace_id    uuid NOT NULL,
        kind            text NOT NULL CHECK (kind IN ('direct', 'group', 'channel', 'bot', 'business', 'topic')),
        title           text NOT NULL DEFAULT '',
        description     text NOT NULL DEFAULT '',
        avatar_attachment_id uuid,
        pair_key        text,
        entity_type     text,
        entity_id       uuid,
        created_by      uuid,
        is_public       boolean NOT NULL DEFAULT false,
        history_from    text NOT NULL DEFAULT 'start' CHECK (history_from IN ('start', 'join')),
        join_approval   boolean NOT NULL DEFAULT false,
        slow_mode_s     integer NOT NULL DEFAULT 0 CHECK (slow_mode_s BETWEEN 0 AND 86400),
        members_max     integer NOT NULL,
        permissions     jsonb NOT NULL DEFAULT '{}',
        retention_days  integer CHECK (retention_days BETWEEN 1 AND 36500),
        legal_hold      boolean NOT NULL DEFAULT false,
        content_published boolean NOT NULL DEFAULT false,
        archived_at     timestamptz,
        version         bigint NOT NULL DEFAULT 1,
        member_count    integer NOT NULL DEFAULT 0 CHECK (member_count >= 0),
        last_seq        bigint NOT NULL DEFAULT 0,
        last_message_no bigint NOT NULL DEFAULT 0,
        oldest_seq      bigint NOT NULL DEFAULT 1,
        last_message_at timestamptz,
        last_at         timestamptz NOT NULL,
        created_at      timestamptz NOT NULL,
        UNIQUE (workspace_id, pair_key),
        UNIQUE (workspace_id, entity_type, entity_id),
        CONSTRAINT msg_5_pair CHECK ((kind IN ('direct', 'bot', 'business')) = (pair_key IS NOT NULL)),
        CONSTRAINT msg_6_topic CHECK (
            (kind = 'topic') = (entity_id IS NOT NULL) AND (entity_type IS NULL) = (entity_id IS NULL)
        ),
        CONSTRAINT msg_7_counts CHECK (last_message_no <= last_seq AND oldest_seq >= 1)
    ) WITH (fillfactor = 60)
    """,
    "CREATE INDEX dialog_public ON dialog (created_at DESC, dialog_id) WHERE is_public",
    """
    CREATE TABLE member (
        dialog_id       uuid NOT NULL,
        user_id         uuid NOT NULL,
        workspace_id    uuid NOT NULL,
        role            text NOT NULL CHECK (role IN ('owner', 'admin', 'moderator', 'member', 'guest')),
        status          text NOT NULL CHECK (status IN ('active', 'muted', 'left', 'removed', 'banned')),
        joined_at       timestamptz NOT NULL,
        joined_seq      bigint NOT NULL,
        ended_seq       bigint,
        muted_until     timestamptz,
        last_sent_at    timestamptz,
        delivered_seq   bigint NOT NULL DEFAULT 0,
        read_seq        bigint NOT NULL DEFAULT 0,
        read_message_no bigint NOT NULL DEFAULT 0,
        read_at         timestamptz,
        marked_unread   boolean NOT NULL DEFAULT false,
        pinned_at       timestamptz,
        archived_at     timestamptz,
        silent_until    timestamptz,
        notification_level text NOT NULL DEFAULT 'all' CHECK (notification_level IN ('all', 'mentions', 'none')),
        PRIMARY KEY (dialog_id, user_id),
        CONSTRAINT msg_8_ended CHECK ((status IN ('active', 'muted')) = (ended_seq IS NULL))
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX member_of ON member (user_id, dialog_id) WHERE status IN ('active', 'muted')",
    """
    CREATE TABLE invite (
        invite_id  uuid PRIMARY KEY,
        dialog_id  uuid NOT NULL,
        token_hash bytea NOT NULL UNIQUE,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        uses_max   integer CHECK (uses_max > 0),
        uses       integer NOT NULL DEFAULT 0,
        revoked_at timestamptz,
        CONSTRAINT msg_9_uses CHECK (uses_max IS NULL OR uses <= uses_max)
    )
    """,
    "CREATE INDEX invite_of ON invite (dialog_id, created_at DESC)",
    """
    CREATE TABLE join_request (
        dialog_id  uuid NOT NULL,
        user_id    uuid NOT NULL,
        message    text NOT NULL DEFAULT '',
        status     text NOT NULL CHECK (status IN ('pending', 'approved', 'declined', 'withdrawn')),
        created_at timestamptz NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        PRIMARY KEY (dialog_id, user_id)
    )
    """,
)

_FIRST_MONTHS = """
    DO $$
    DECLARE month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    BEGIN
        FOR ahead IN 0..2 LOOP
            EXECUTE format(
                'CREATE TABLE {table}_%s PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)',
                to_char(month + make_interval(months => ahead), 'YYYYMM'),
                (month + make_interval(months => ahead))::date::text || ' 00:00+00',
                (month + make_interval(months => ahead + 1))::date::text || ' 00:00+00'
            );
        END LOOP;
    END $$
"""

MESSAGES = (
    """
    CREATE TABLE message (
        dialog_id    uuid NOT NULL,
        seq          bigint NOT NULL,
        created_at   timestamptz NOT NULL,
        workspace_id uuid NOT NULL,
        message_no   bigint NOT NULL,
        sender_id    uuid,
        type         text NOT NULL,
        content      bytea,
        client_message_id uuid,
        reply_to_seq bigint,
        thread_seq   bigint,
        forward      jsonb,
        mentions     text[] NOT NULL DEFAULT '{}',
        version      integer NOT NULL DEFAULT 1,
        edited_at    timestamptz,
        deleted_at   timestamptz,
        deleted_by   uuid,
        PRIMARY KEY (dialog_id, seq, created_at),
        CONSTRAINT msg_10_deleted_is_empty CHECK (deleted_at IS NULL OR content IS NULL)
    ) PARTITION BY RANGE (created_at)
    """,
    "CREATE TABLE message_default PARTITION OF message DEFAULT",
    _FIRST_MONTHS.format(table="message"),
    "CREATE INDEX message_of_sender ON message (dialog_id, sender_id, seq)",
    "CREATE INDEX message_deleted ON message (dialog_id, seq) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX message_thread ON message (dialog_id, thread_seq, seq) WHERE thread_seq IS NOT NULL",
    """
    CREATE TABLE change (
        dialog_id    uuid NOT NULL,
        seq          bigint NOT NULL,
        created_at   timestamptz NOT NULL,
        workspace_id uuid NOT NULL,
        type         text NOT NULL,
        actor_id     uuid,
        message_seq  bigint,
        payload      jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (dialog_id, seq, created_at)
    ) PARTITION BY RANGE (created_at)
    """,
    "CREATE TABLE change_default PARTITION OF change DEFAULT",
    _FIRST_MONTHS.format(table="change"),
    """
    CREATE TABLE dialog_month (
        dialog_id uuid NOT NULL,
        month     date NOT NULL,
        first_seq bigint NOT NULL,
        PRIMARY KEY (dialog_id, month)
    )
    """,
    """
    CREATE TABLE sent_message (
        dialog_id         uuid NOT NULL,
        sender_id         uuid NOT NULL,
        client_message_id uuid NOT NULL,
        seq               bigint NOT NULL,
        body_hash         bytea NOT NULL,
        created_at        timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, sender_id, client_message_id)
    )
    """,
    "CREATE INDEX sent_message_age ON sent_message USING brin (created_at)",
)

ON_MESSAGES = (
    """
    CREATE TABLE message_revision (
        dialog_id uuid NOT NULL,
        seq       bigint NOT NULL,
        version   integer NOT NULL,
        sender_id uuid NOT NULL,
        content   bytea,
        written_at timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, seq, version)
    )
    """,
    """
    CREATE TABLE mention (
        dialog_id uuid NOT NULL,
        target    text NOT NULL,
        seq       bigint NOT NULL,
        sender_id uuid NOT NULL,
        PRIMARY KEY (dialog_id, target, seq)
    )
    """,
    """
    CREATE TABLE reaction (
        dialog_id  uuid NOT NULL,
        seq        bigint NOT NULL,
        emoji      text NOT NULL,
        user_id    uuid NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, seq, emoji, user_id)
    )
    """,
    """
    CREATE TABLE pinned_message (
        dialog_id uuid NOT NULL,
        seq       bigint NOT NULL,
        pinned_by uuid NOT NULL,
        pinned_at timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, seq)
    )
    """,
    """
    CREATE TABLE poll (
        dialog_id    uuid NOT NULL,
        seq          bigint NOT NULL,
        options      smallint NOT NULL CHECK (options BETWEEN 2 AND 20),
        multiple     boolean NOT NULL,
        anonymous    boolean NOT NULL,
        closes_at    timestamptz,
        closed_at    timestamptz,
        PRIMARY KEY (dialog_id, seq)
    )
    """,
    "CREATE INDEX poll_due ON poll (closes_at) WHERE closed_at IS NULL AND closes_at IS NOT NULL",
    """
    CREATE TABLE poll_vote (
        dialog_id uuid NOT NULL,
        seq       bigint NOT NULL,
        user_id   uuid NOT NULL,
        option    smallint NOT NULL,
        voted_at  timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, seq, user_id, option)
    )
    """,
    """
    CREATE TABLE card (
        entity_type text NOT NULL,
        entity_id   uuid NOT NULL,
        dialog_id   uuid NOT NULL,
        seq         bigint NOT NULL,
        PRIMARY KEY (entity_type, entity_id, dialog_id, seq)
    )
    """,
    "CREATE INDEX card_of_message ON card (dialog_id, seq)",
    """
    CREATE TABLE entity (
        entity_type text NOT NULL,
        entity_id   uuid NOT NULL,
        version     bigint NOT NULL,
        state       jsonb NOT NULL,
        parties     uuid[] NOT NULL DEFAULT '{}',
        changed_at  timestamptz NOT NULL,
        PRIMARY KEY (entity_type, entity_id)
    ) WITH (fillfactor = 80)
    """,
)

PER_PERSON = (
    """
    CREATE TABLE account_change (
        user_id     uuid NOT NULL,
        account_seq bigint NOT NULL,
        created_at  timestamptz NOT NULL,
        type        text NOT NULL,
        dialog_id   uuid,
        payload     jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (user_id, account_seq)
    )
    """,
    "CREATE INDEX account_change_age ON account_change USING brin (created_at)",
    """
    CREATE TABLE hidden_message (
        user_id   uuid NOT NULL,
        dialog_id uuid NOT NULL,
        seq       bigint NOT NULL,
        PRIMARY KEY (user_id, dialog_id, seq)
    )
    """,
    """
    CREATE TABLE draft (
        user_id      uuid NOT NULL,
        dialog_id    uuid NOT NULL,
        content      bytea NOT NULL,
        reply_to_seq bigint,
        version      bigint NOT NULL,
        updated_at   timestamptz NOT NULL,
        PRIMARY KEY (user_id, dialog_id)
    )
    """,
    """
    CREATE TABLE scheduled_message (
        scheduled_id uuid PRIMARY KEY,
        user_id      uuid NOT NULL,
        dialog_id    uuid NOT NULL,
        send_at      timestamptz NOT NULL,
        body         bytea NOT NULL,
        status       text NOT NULL CHECK (status IN ('pending', 'sent', 'failed', 'cancelled')),
        failure_code text NOT NULL DEFAULT '',
        seq          bigint,
        created_at   timestamptz NOT NULL
    )
    """,
    "CREATE INDEX scheduled_message_due ON scheduled_message (send_at) WHERE status = 'pending'",
    "CREATE INDEX scheduled_message_of ON scheduled_message (user_id, send_at)",
    """
    CREATE TABLE activity (
        user_id     uuid NOT NULL,
        activity_id uuid NOT NULL,
        type        text NOT NULL,
        dedupe_key  text NOT NULL,
        actor_id    uuid,
        dialog_id   uuid,
        seq         bigint,
        payload     jsonb NOT NULL DEFAULT '{}',
        created_at  timestamptz NOT NULL,
        read_at     timestamptz,
        PRIMARY KEY (user_id, activity_id),
        UNIQUE (user_id, dedupe_key)
    )
    """,
    "CREATE INDEX activity_unread ON activity (user_id) WHERE read_at IS NULL",
    """
    CREATE TABLE report (
        report_id   uuid PRIMARY KEY,
        reporter_id uuid NOT NULL,
        dialog_id   uuid,
        seq         bigint,
        user_id     uuid,
        reason      text NOT NULL,
        detail      text NOT NULL DEFAULT '',
        status      text NOT NULL CHECK (status IN ('open', 'upheld', 'dismissed')),
        created_at  timestamptz NOT NULL,
        decided_by  uuid,
        decided_at  timestamptz
    )
    """,
    "CREATE INDEX report_open ON report (created_at) WHERE status = 'open'",
    """
    CREATE UNIQUE INDEX report_once ON report (reporter_id, dialog_id, seq, user_id) WHERE status = 'open'
    """,
)
