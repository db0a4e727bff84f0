"""Fixtures of payment's component tests."""

from payment_testing.fixtures import (  # noqa: F401
    audit_holds,
    conn,
    issuer,
    owner,
    payment_database,
    payment_environment,
    place,
    streams,
    world,
)
