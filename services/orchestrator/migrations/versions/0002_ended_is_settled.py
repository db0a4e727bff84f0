"""SAGA-6: a saga that has ended waits for nobody; validated in the next migration, without holding up writers."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE saga_execution ADD CONSTRAINT saga_6_ended_is_settled
        CHECK (status NOT IN ('completed', 'failed') OR NOT needs_operator) NOT VALID
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE saga_execution DROP CONSTRAINT saga_6_ended_is_settled")
