"""Fixtures of a commerce on real Postgres, Redis and Kafka."""

from commerce_testing.fixtures import (
    app,
    buyer,
    client,
    issuer,
    make_app,
    people,
    product,
    seller,
    service_database,
    shop,
)

__all__ = [
    "app",
    "buyer",
    "client",
    "issuer",
    "make_app",
    "people",
    "product",
    "seller",
    "service_database",
    "shop",
]
