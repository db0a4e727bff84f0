"""The service's settings for tests, and what its roles run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chassis.run import Runner
from eventing import KafkaConfig
from notification.__main__ import SERVICE
from notification.settings import NotificationSettings
from notification.wiring import App
from notification_testing.world import Sandbox
from testkit.service import settings_of

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
    return settings_of(
        NotificationSettings,
        dsn=dsn,
        redis_url=redis_url,
        kafka=kafka,
        jwks_url=jwks_url,
        smtp_host="127.0.0.1",
        smtp_port=sandbox.smtp_port,
        sms_base_url=sandbox.url,
        sms_api_key=API_KEY,
    )


def runners_of(app: App) -> Sequence[Runner]:
    """Every role but HTTP."""
    return [*SERVICE.consumers(app), *SERVICE.relays(app), *SERVICE.jobs(app), *SERVICE.background(app)]
