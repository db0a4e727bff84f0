"""Alembic's entry, and what the role that serves may do to the tables."""

from chassis.migrations import run
from chassis.rights import Rights
from eventing import tables

run(
    Rights(
        append_only=("stock_movement", "order_line", "order_fact", *tables.APPEND_ONLY),
        never_deleted=("checkout", "orders"),
        functions=tables.functions("commerce"),
    )
)
