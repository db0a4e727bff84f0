"""What a legal hold keeps of files, and which reported messages moderators have read.

``held_file``: a file in a message of a dialog under hold, whose use (the message was deleted) or whose owner (they were
erased) is gone. Only ``legal-hold export`` reads it.
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE held_file (
            dialog_id     uuid NOT NULL,
            seq           bigint NOT NULL,
            place         smallint NOT NULL,
            attachment_id uuid NOT NULL,
            file_name     text NOT NULL,
            held_at       timestamptz NOT NULL,
            PRIMARY KEY (dialog_id, seq, place)
        )
    """)
    op.execute("CREATE INDEX held_file_of ON held_file (attachment_id)")
    op.execute("""
        CREATE TABLE report_read (
            report_id uuid NOT NULL,
            read_by   uuid NOT NULL,
            read_at   timestamptz NOT NULL,
            PRIMARY KEY (report_id, read_at, read_by)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE report_read, held_file")
