"""Settings of the notification service: environment variables NOTIFICATION_*, read once."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class NotificationSettings(ServiceSettings):
    """What notification needs beside what every service needs."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_", frozen=True)

    database_schema: str = "notification"
    smtp_host: str
    smtp_port: int
    email_sender: str = "Sampan <no-reply@sampan.example>"
    sms_base_url: str
    sms_api_key: SecretStr
