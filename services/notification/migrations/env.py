"""Alembic's entry, and what the role that serves may do to the tables."""

from chassis.migrations import run
from chassis.rights import Rights
from eventing import tables

run(
    Rights(
        append_only=tables.APPEND_ONLY,
        functions=tables.functions("notification"),
    )
)
