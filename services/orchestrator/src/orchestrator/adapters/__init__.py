"""Postgres, the outbox and Protobuf behind the use cases' ports."""
