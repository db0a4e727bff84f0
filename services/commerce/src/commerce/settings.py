"""Settings of the commerce service: environment variables COMMERCE_*, read once."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class CommerceSettings(ServiceSettings):
    """What commerce needs beside what every service needs."""

    model_config = SettingsConfigDict(env_prefix="COMMERCE_", frozen=True)

    database_schema: str = "commerce"
    stuck_after_s: float = Field(default=900.0, gt=0, description="age at which the audit calls a pending order stuck")
