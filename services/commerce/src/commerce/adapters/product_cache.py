"""Products in Redis for an hour.

A cached product carries its version, and a reader compares it with the version it read beside the stock: an old
entry is never shown, even when its invalidation was lost. Without Redis every read goes to Postgres.
"""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

TTL_S: Final = 3600
_KEY: Final = "commerce:product:{}"


class ProductCache:
    """JSON documents by product id."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self, product_id: UUID) -> dict[str, Any] | None:
        try:
            stored = await self._redis.get(_KEY.format(product_id))
        except RedisError as error:
            log.warning("product_cache.unavailable", error=type(error).__name__)
            return None
        return json.loads(stored) if stored else None

    async def put(self, product_id: UUID, document: dict[str, Any]) -> None:
        try:
            await self._redis.set(_KEY.format(product_id), json.dumps(document), ex=TTL_S)
        except RedisError as error:
            log.warning("product_cache.unavailable", error=type(error).__name__)

    async def drop(self, product_ids: list[UUID]) -> None:
        try:
            await self._redis.delete(*(_KEY.format(product_id) for product_id in product_ids))
        except RedisError as error:
            log.warning("product_cache.unavailable", error=type(error).__name__)
