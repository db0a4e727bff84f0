"""Alembic's entry: the chassis runs it in the service's schema."""

from chassis.migrations import run

run()
