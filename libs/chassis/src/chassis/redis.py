"""Redis: one client a process, rate limits, and hints that something changed.

Nothing here is the truth about anything: Postgres is. Redis may be empty or away at any moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from chassis.limits import RateLimiter
from kernel.tasks import within

__all__ = ["RateLimiter", "check_fresh", "connect"]

_CONNECTIONS_MAX: Final = 64
_ANSWER_TIMEOUT_S: Final = 1.0
_FRESH_S: Final = 2.0


class _Guard:
    """uvloop refuses a write to a socket that was reset with a RuntimeError. Everybody expects a RedisError there.

    One task connects at a time: where one reads and another subscribes, both would, and lose one of the two sockets.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._connecting = asyncio.Lock()
        self._connecter: asyncio.Task[Any] | None = None

    async def connect_check_health(self, *arguments: Any, **options: Any) -> None:
        connection: Any = super()
        if connection.is_connected:
            return
        if self._connecter is asyncio.current_task():  # what it sends once connected may connect anew
            await connection.connect_check_health(*arguments, **options)
            return
        async with self._connecting:
            self._connecter = asyncio.current_task()
            try:
                await connection.connect_check_health(*arguments, **options)
            finally:
                self._connecter = None

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        with _lost_as_redis_error():
            await super().send_packed_command(*arguments, **options)  # type: ignore[misc]

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        with _lost_as_redis_error():
            return await super().read_response(*arguments, **options)  # type: ignore[misc]

    async def disconnect(self, *arguments: Any, **options: Any) -> None:
        with _lost_as_redis_error():
            await super().disconnect(*arguments, **options)  # type: ignore[misc]


class _Connection(_Guard, Connection):
    pass


class _TlsConnection(_Guard, SSLConnection):
    pass


def connect(url: SecretStr | str) -> Redis:
    """A client with a bounded pool and short timeouts. It connects on first use."""
    address = url.get_secret_value() if isinstance(url, SecretStr) else url
    pool: Any = BlockingConnectionPool.from_url(
        address,
        connection_class=_TlsConnection if address.startswith("rediss:") else _Connection,
        max_connections=_CONNECTIONS_MAX,
        timeout=_ANSWER_TIMEOUT_S,
        socket_connect_timeout=_ANSWER_TIMEOUT_S,
        socket_timeout=_ANSWER_TIMEOUT_S,
        health_check_interval=30,
    )
    return Redis.from_pool(pool)


async def check_fresh(redis: Redis) -> None:
    """Raises when no new connection can be had within two seconds: those of the pool may outlive a changed password."""
    connection: Connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    try:
        await within(_FRESH_S, connection.connect())  # type: ignore[no-untyped-call]
    finally:
        await within(_FRESH_S, connection.disconnect(nowait=True))


@contextmanager
def _lost_as_redis_error() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise RedisConnectionError(f"the connection was reset: {error}") from error
