"""Settings of payment: PAYMENT_* from the environment, read once."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class PaymentSettings(ServiceSettings):
    """Beside what every service needs: the sandbox provider, and how the ledger is driven."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="PAYMENT_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    sandbox_url: str = "http://127.0.0.1:18190"
    sandbox_api_key: SecretStr = SecretStr("sandbox-api-key")
    sandbox_webhook_secret: SecretStr = SecretStr("sandbox-webhook-secret")
    provider_timeout_s: float = Field(default=5.0, gt=0)

    ledger_flushers: int = Field(default=1, ge=1, le=16, description="ledger partitions of one http process")
    ledger_batch_max: int = Field(default=1_000, ge=1, le=5_000)
    top_ups_every_s: float = Field(default=1.0, gt=0, description="how often due top-ups are looked for")
    expiry_every_s: float = Field(default=5.0, gt=0)
