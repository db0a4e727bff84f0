"""Recipients, notifications, deliveries, and the tables of eventing and idempotency."""

from alembic import op

import eventing.tables
from chassis import idempotency

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in (*eventing.tables.upgrade("notification"), *idempotency.upgrade("notification")):
        op.execute(statement)
    op.execute("""
        CREATE TABLE recipient (
            user_id      uuid PRIMARY KEY,
            version      bigint NOT NULL,
            display_name text NOT NULL,
            locale       text NOT NULL,
            time_zone    text NOT NULL,
            email        text NOT NULL DEFAULT '',
            phone_e164   text NOT NULL DEFAULT '',
            erased_at    timestamptz
        )
    """)
    op.execute("""
        CREATE TABLE notification (
            user_id           uuid NOT NULL,
            notification_id   uuid NOT NULL,
            notification_type text NOT NULL,
            category          text NOT NULL CHECK (category IN ('social', 'transactional', 'promotional', 'system')),
            priority          text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
            dedupe_key        text NOT NULL,
            action_url        text NOT NULL,
            params            jsonb NOT NULL,
            created_at        timestamptz NOT NULL,
            read_at           timestamptz,
            expires_at        timestamptz,
            PRIMARY KEY (user_id, notification_id),
            UNIQUE (user_id, dedupe_key)
        )
    """)
    op.execute("CREATE INDEX notification_newest ON notification (user_id, created_at DESC, notification_id DESC)")
    op.execute("CREATE INDEX notification_unread ON notification (user_id) WHERE read_at IS NULL")
    op.execute("CREATE INDEX notification_expiry ON notification (expires_at)")
    op.execute("ALTER TABLE notification ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notification FORCE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY own_rows ON notification
        USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', user_id::text))
    """)
    op.execute("""
        CREATE TABLE delivery (
            delivery_id         uuid PRIMARY KEY,
            notification_id     uuid,
            user_id             uuid,
            channel             text NOT NULL CHECK (channel IN ('email', 'sms')),
            priority            text NOT NULL,
            message_type        text NOT NULL,
            params              jsonb,
            payload             jsonb,
            status              text NOT NULL CHECK (status IN ('pending', 'sent', 'failed')),
            attempts            integer NOT NULL DEFAULT 0,
            created_at          timestamptz NOT NULL,
            expires_at          timestamptz NOT NULL,
            next_attempt_at     timestamptz,
            ended_at            timestamptz,
            provider_message_id text NOT NULL DEFAULT '',
            failure_code        text NOT NULL DEFAULT '',
            CONSTRAINT ntf_1_pending_is_due CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
            CONSTRAINT ntf_2_ended_is_erased CHECK (status = 'pending' OR payload IS NULL)
        )
    """)
    op.execute("""
        CREATE INDEX delivery_due ON delivery ((priority = 'urgent'), next_attempt_at) WHERE status = 'pending'
    """)
    op.execute("CREATE INDEX delivery_of_notification ON delivery (notification_id)")


def downgrade() -> None:
    op.execute("DROP TABLE delivery, notification, recipient")
    for statement in (*eventing.tables.downgrade("notification"), *idempotency.downgrade("notification")):
        op.execute(statement)
