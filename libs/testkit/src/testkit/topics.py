"""The catalogue's topics under a prefix of their own, for as long as a test session runs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import load_topics
from eventing import KafkaConfig
from testkit.infra import repository_root

PARTITIONS = 3


def catalogue_topics() -> list[str]:
    """Names of all topics that services declare, replies and dead letters included."""
    return sorted(load_topics(repository_root()).names())


def admin_client(config: KafkaConfig) -> AIOKafkaAdminClient:
    """An administrator's client of the broker."""
    security: dict[str, Any] = (
        {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_plain_username": config.username,
            "sasl_plain_password": config.password,
        }
        if config.username
        else {}
    )
    return AIOKafkaAdminClient(bootstrap_servers=config.bootstrap, **security)


@asynccontextmanager
async def own_topics(config: KafkaConfig) -> AsyncIterator[KafkaConfig]:
    """The broker with a prefix that nobody else has, and every topic of the catalogue under it."""
    own = replace(config, topic_prefix=f"t{uuid.uuid4().hex[:10]}.")
    async with create_topics(own):
        yield own


@asynccontextmanager
async def create_topics(config: KafkaConfig) -> AsyncIterator[None]:
    """Create the prefixed topics; delete them when the block ends."""
    names = [f"{config.topic_prefix}{name}" for name in catalogue_topics()]
    admin = admin_client(config)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        yield
        await admin.delete_topics(names)
    finally:
        await admin.close()
