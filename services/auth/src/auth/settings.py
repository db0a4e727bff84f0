"""Settings of auth from the environment, as ``AUTH_*``; read once."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings
from sealing import decoded_key


def _is_key(secret: SecretStr) -> SecretStr:
    decoded_key(secret.get_secret_value())
    return secret


class AuthSettings(ServiceSettings):
    """``key_encryption_key``: 32 random bytes in base64; everything secret is sealed or hashed under it.

    ``codes_to_destination_*`` is what one place may have sent; all places that a person never signed in from may
    together have ``codes_elsewhere_factor`` times as much.
    """

    model_config = SettingsConfigDict(env_prefix="AUTH_", frozen=True)

    key_encryption_key: Annotated[SecretStr, AfterValidator(_is_key)]
    hashing_threads: int = Field(default=2, ge=1, le=64)
    hashing_waiting_max: int = Field(default=64, ge=1)
    sign_ins_per_address_per_minute: int = Field(default=120, ge=1)
    sign_ups_per_address_per_hour: int = Field(default=60, ge=1)
    codes_per_address_per_hour: int = Field(default=60, ge=1)
    codes_to_destination_per_10_min: int = Field(default=3, ge=1)
    codes_to_destination_per_day: int = Field(default=10, ge=1)
    codes_elsewhere_factor: int = Field(default=4, ge=1)
    sms_to_country_per_hour: int = Field(default=2000, ge=1)
    login_attempts_kept_months: int = Field(default=6, ge=1)
    security_events_kept_months: int = Field(default=24, ge=12)
