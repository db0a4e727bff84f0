"""Dead letters of the follower that wait for a topic which never was go to the service's own, where all others go."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute("""
        UPDATE outbox SET topic = 'private.messaging.dlq.v1' WHERE topic = 'private.messaging.follower.dlq.v1'
    """)


def downgrade() -> None:
    """The topic they waited for is there for no version."""
