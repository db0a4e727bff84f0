"""Attachments: what was uploaded, what became of it, and which messages show it.

MSG-30: no byte of an attachment is given to anybody before its status is ``clean``, nor after it is no longer.
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE attachment (
            attachment_id   uuid PRIMARY KEY,
            owner_id        uuid NOT NULL,
            purpose         text NOT NULL CHECK (purpose IN ('image', 'video', 'voice', 'file', 'sticker', 'avatar')),
            file_name       text NOT NULL,
            media_type      text NOT NULL,
            size_bytes      bigint NOT NULL CHECK (size_bytes > 0),
            offset_bytes    bigint NOT NULL DEFAULT 0,
            sha256          bytea,
            sha256_expected bytea,
            width           integer,
            height          integer,
            thumbnails      integer[] NOT NULL DEFAULT '{}',
            status          text NOT NULL
                CHECK (status IN ('uploading', 'scanning', 'clean', 'infected', 'rejected', 'expired', 'deleted')),
            verdict         text NOT NULL DEFAULT '',
            attempts        integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz,
            clean_at        timestamptz,
            objects_gone    boolean NOT NULL DEFAULT false,
            CONSTRAINT msg_31_offset CHECK (offset_bytes BETWEEN 0 AND size_bytes),
            CONSTRAINT msg_32_clean_is_whole CHECK (status <> 'clean' OR (sha256 IS NOT NULL AND offset_bytes = size_bytes))
        )
    """)
    op.execute("CREATE INDEX attachment_due ON attachment (next_attempt_at) WHERE next_attempt_at IS NOT NULL")
    op.execute("CREATE INDEX attachment_of ON attachment (owner_id, created_at)")
    op.execute("CREATE INDEX attachment_unused ON attachment (created_at) WHERE NOT objects_gone")
    op.execute("""
        CREATE TABLE attachment_use (
            attachment_id uuid NOT NULL,
            dialog_id     uuid NOT NULL,
            seq           bigint NOT NULL,
            place         smallint NOT NULL,
            PRIMARY KEY (dialog_id, seq, place)
        )
    """)
    op.execute("CREATE INDEX attachment_use_of ON attachment_use (attachment_id, dialog_id)")


def downgrade() -> None:
    op.execute("DROP TABLE attachment_use, attachment")
