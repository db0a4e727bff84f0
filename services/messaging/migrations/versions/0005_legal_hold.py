"""What a legal hold keeps although everybody else lost it: contents of deleted messages, and their revisions."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE held_message (
            dialog_id  uuid NOT NULL,
            seq        bigint NOT NULL,
            version    integer NOT NULL,
            sender_id  uuid,
            content    bytea NOT NULL,
            written_at timestamptz NOT NULL,
            held_at    timestamptz NOT NULL,
            PRIMARY KEY (dialog_id, seq, version)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE held_message")
