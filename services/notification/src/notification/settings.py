"""Settings of the notification service: environment variables NOTIFICATION_*, read once."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.production import Outside
from chassis.settings import ServiceSettings


class NotificationSettings(ServiceSettings):
    """What notification needs beside what every service needs."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_", frozen=True)

    database_schema: str = "notification"
    smtp_host: Annotated[str, Outside()]
    smtp_port: int
    email_sender: str = "Sampan <no-reply@sampan.example>"
    sms_base_url: Annotated[str, Outside()]
    sms_api_key: SecretStr
