"""Products in Redis for an hour.

A cached product carries its version, and a reader compares it with the version it read beside the stock: an old
entry is never shown, even when its invalidation was lost. Without Redis every read goes to Postgres.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from commerce.domain.ids import ProductId

log = structlog.get_logger(__name__)

TTL_S: Final = 3600
_KEY: Final = "commerce:product:{}"


class ProductCache:
    """JSON documents by product id."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self, product_id: ProductId) -> dict[str, Any] | None:
        stored = None
        with _tolerated():
            stored = await self._redis.get(_KEY.format(product_id))
        return json.loads(stored) if stored else None

    async def put(self, product_id: ProductId, document: dict[str, Any]) -> None:
        with _tolerated():
            await self._redis.set(_KEY.format(product_id), json.dumps(document), ex=TTL_S)

    async def drop(self, product_ids: Iterable[ProductId]) -> None:
        with _tolerated():
            await self._redis.delete(*map(_KEY.format, product_ids))


@contextmanager
def _tolerated() -> Iterator[None]:
    """Without Redis nothing is cached, and nothing fails."""
    try:
        yield
    except RedisError as error:
        log.warning("product_cache.unavailable", error=type(error).__name__)
