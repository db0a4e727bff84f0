"""Worlds as fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from eventing import KafkaConfig
from orchestrator_testing.world import World, new_world


@pytest_asyncio.fixture(loop_scope="session")
async def world(database: Any, kafka_admin: KafkaConfig, redis_url: str) -> AsyncIterator[World]:
    async with new_world(database, kafka_admin, redis_url) as made:
        yield made


@pytest.fixture
def worlds(database: Any, kafka_admin: KafkaConfig, redis_url: str) -> Callable[[], Any]:
    """Several at once: ``async with worlds() as world``."""
    return lambda: new_world(database, kafka_admin, redis_url)
