"""What ended is found by when it did: people whose account ended, deliveries that were sent or failed."""

from alembic import op

revision = "0002"
down_revision = "0001"

INDEXES = {
    "recipient_ended": "recipient (erased_at) WHERE erased_at IS NOT NULL",
    "delivery_ended": "delivery (ended_at DESC, delivery_id DESC) WHERE status <> 'pending'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
