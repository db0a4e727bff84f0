"""The search index, what everybody in a dialog was called for, and the end of what people wrote.

``search_entry`` holds blind terms only (``messaging.search``). ``activity_for_all`` is one row for a mention of all,
whatever the number of members. ``person_erasure`` is the state of an erasure, so that it goes on where it was killed.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for statement in (*SEARCH, *ACTIVITY, *LIFECYCLE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE held_key, person_erasure, activity_cursor, activity_for_all, search_stretch, search_entry")


SEARCH = (
    """
    CREATE TABLE search_entry (
        dialog_id  uuid NOT NULL,
        seq        bigint NOT NULL,
        created_at timestamptz NOT NULL,
        version    integer NOT NULL,
        terms      tsvector NOT NULL,
        PRIMARY KEY (dialog_id, seq, created_at)
    ) PARTITION BY RANGE (created_at)
    """,
    "CREATE INDEX search_entry_terms ON search_entry USING gin (terms) WITH (gin_pending_list_limit = 1024)",
    "CREATE TABLE search_entry_default PARTITION OF search_entry DEFAULT",
    """
    DO $$
    DECLARE month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    BEGIN
        FOR ahead IN 0..2 LOOP
            EXECUTE format(
                'CREATE TABLE search_entry_%s PARTITION OF search_entry FOR VALUES FROM (%L) TO (%L)',
                to_char(month + make_interval(months => ahead), 'YYYYMM'),
                (month + make_interval(months => ahead))::date::text || ' 00:00+00',
                (month + make_interval(months => ahead + 1))::date::text || ' 00:00+00'
            );
        END LOOP;
    END $$
    """,
    """
    CREATE TABLE search_stretch (
        dialog_id uuid NOT NULL,
        stretch   bigint NOT NULL,
        first_at  timestamptz NOT NULL,
        last_at   timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, stretch),
        CONSTRAINT srch_1_in_time CHECK (first_at <= last_at)
    ) WITH (fillfactor = 70)
    """,
)

ACTIVITY = (
    """
    CREATE TABLE activity_for_all (
        dialog_id   uuid NOT NULL,
        activity_id uuid NOT NULL,
        seq         bigint NOT NULL,
        target      text NOT NULL,
        actor_id    uuid NOT NULL,
        created_at  timestamptz NOT NULL,
        PRIMARY KEY (dialog_id, activity_id),
        UNIQUE (dialog_id, seq, target)
    )
    """,
    """
    CREATE TABLE activity_cursor (
        user_id   uuid PRIMARY KEY,
        read_upto uuid NOT NULL
    )
    """,
)

LIFECYCLE = (
    """
    CREATE TABLE person_erasure (
        user_id      uuid PRIMARY KEY,
        reason       text NOT NULL CHECK (reason IN ('account_deleted', 'requested')),
        requested_at timestamptz NOT NULL,
        due_at       timestamptz NOT NULL,
        done         text[] NOT NULL DEFAULT '{}',
        finished_at  timestamptz
    )
    """,
    "CREATE INDEX person_erasure_due ON person_erasure (due_at) WHERE finished_at IS NULL",
    """
    CREATE TABLE held_key (
        user_id     uuid PRIMARY KEY,
        wrapped_key bytea NOT NULL,
        held_at     timestamptz NOT NULL
    )
    """,
)
