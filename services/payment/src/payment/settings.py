"""Settings of payment: PAYMENT_* from the environment, read once."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings

_SANDBOX: Final = ("sandbox_url", "sandbox_api_key", "sandbox_webhook_secret")


class PaymentSettings(ServiceSettings):
    """Beside what every service needs: which providers there are, and how the ledger is driven."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="PAYMENT_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    sandbox_url: str | None = Field(default=None, description="set: the sandbox is a provider; never in production")
    sandbox_api_key: SecretStr | None = Field(default=None, min_length=1, validate_default=True)
    sandbox_webhook_secret: SecretStr | None = Field(default=None, min_length=1, validate_default=True)
    provider_timeout_s: float = Field(default=5.0, gt=0)

    ledger_flushers: int = Field(default=1, ge=1, le=16, description="ledger partitions of one http process")
    ledger_batch_max: int = Field(default=1_000, ge=1, le=5_000)
    top_ups_every_s: float = Field(default=1.0, gt=0, description="how often due top-ups are looked for")
    expiry_every_s: float = Field(default=5.0, gt=0)

    @field_validator(*_SANDBOX)
    @classmethod
    def _no_sandbox_in_production(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        """Whoever knows the sandbox's secret makes money: it has no place beside real money."""
        if value is not None and info.data.get("environment") == "production":
            raise ValueError("the sandbox provider refuses to exist in production; leave this out")
        return value

    @field_validator("sandbox_api_key", "sandbox_webhook_secret")
    @classmethod
    def _secrets_of_the_sandbox(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("sandbox_url") is not None:
            raise ValueError("it is missing, and the sandbox provider (PAYMENT_SANDBOX_URL) needs it")
        return value
