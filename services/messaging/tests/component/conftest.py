"""A messaging service on real Postgres, Redis and Kafka."""

from messaging_testing.fixtures import (  # noqa: F401
    disk_world,
    kafka,
    migrate,
    own_world,
    s3_world,
    scanner,
    still_world,
    world,
    world_apart,
)
