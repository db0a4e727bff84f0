"""Redis: one client a process, rate limits, and hints that something changed.

Nothing here is the truth about anything: Postgres is. Redis may be empty or away at any moment.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis

from chassis.hints import Hints
from chassis.limits import Decision, RateLimiter, Taken, Wanted

__all__ = ["Decision", "Hints", "RateLimiter", "Taken", "Wanted", "connect"]

_CONNECTIONS_MAX = 64
_ANSWER_TIMEOUT_S = 1.0


def connect(url: SecretStr | str) -> Redis:
    """A client with a bounded pool and short timeouts. It connects on first use."""
    address = url.get_secret_value() if isinstance(url, SecretStr) else url
    pool: Any = BlockingConnectionPool.from_url(
        address,
        max_connections=_CONNECTIONS_MAX,
        timeout=_ANSWER_TIMEOUT_S,
        socket_connect_timeout=_ANSWER_TIMEOUT_S,
        socket_timeout=_ANSWER_TIMEOUT_S,
        health_check_interval=30,
    )
    return Redis.from_pool(pool)
