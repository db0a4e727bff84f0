"""The service's settings for tests, and its roles as tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pydantic import SecretStr

from eventing import KafkaConfig
from notification.entrypoints import roles
from notification.settings import NotificationSettings
from notification.wiring import App
from notification_testing.world import Sandbox
from operations import background, relays

API_KEY: Final = "test-api-key"
# What the service refuses to start without, also where nothing is sent.
ENVIRONMENT: Final = {
    "NOTIFICATION_SMTP_HOST": "127.0.0.1",
    "NOTIFICATION_SMTP_PORT": "1",
    "NOTIFICATION_SMS_BASE_URL": "http://127.0.0.1:1",
    "NOTIFICATION_SMS_API_KEY": API_KEY,
}


def settings_for(
    dsn: str,
    redis_url: str,
    kafka: KafkaConfig,
    sandbox: Sandbox,
    *,
    jwks_url: str = "http://127.0.0.1:1/jwks.json",
) -> NotificationSettings:
    return NotificationSettings(
        environment="test",
        http_port=0,
        ops_port=0,
        database_dsn=SecretStr(dsn),
        redis_url=SecretStr(redis_url),
        kafka_bootstrap=kafka.bootstrap,
        kafka_username=kafka.username,
        kafka_password=SecretStr(kafka.password) if kafka.password else None,
        kafka_topic_prefix=kafka.topic_prefix,
        jwks_url=jwks_url,
        cursor_secret=SecretStr("test-only-cursor-secret-of-32-bytes"),
        smtp_host="127.0.0.1",
        smtp_port=sandbox.smtp_port,
        sms_base_url=sandbox.url,
        sms_api_key=SecretStr(API_KEY),
    )


@asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    """Every role but HTTP, until the block ends."""
    stop = asyncio.Event()
    runners = [*roles.consumers(app), *relays(app), *roles.jobs(app), *background(app)]
    tasks = [asyncio.create_task(each.run(stop)) for each in runners]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
