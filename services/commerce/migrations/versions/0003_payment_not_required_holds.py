"""The checks of 0002 hold for every row; and of an order that cost nothing, none says that it was paid."""

from alembic import op

revision = "0003"
down_revision = "0002"

CHECKS = (
    ("checkout", "checkout_payment_status_check"),
    ("checkout", "ord_2_paid_is_taken"),
    ("orders", "orders_payment_status_check"),
    ("orders", "ord_2_fulfilled_is_paid"),
)


def upgrade() -> None:
    for table, name in CHECKS:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    op.execute("UPDATE orders SET payment_status = 'not_required' WHERE payment_status = 'paid' AND total_minor = 0")


def downgrade() -> None:
    """Nothing: 0002 takes its checks and their new value away."""
