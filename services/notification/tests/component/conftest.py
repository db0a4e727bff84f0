"""A notification service on real Postgres, Redis and Kafka, with the sandbox's mail and SMS as a process of its own."""

from notification_testing.fixtures import idle_app, idle_database, kafka, owner, sandbox, world  # noqa: F401
