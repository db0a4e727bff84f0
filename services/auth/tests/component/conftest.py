"""The service with real Postgres and Redis, reached over HTTP."""

from __future__ import annotations

from auth_testing.fixtures import (  # noqa: F401
    auth_database,
    own_service,
    service,
    service_without_redis,
    shifted,
)
