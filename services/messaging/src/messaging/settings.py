"""Settings of the messaging service: environment variables MESSAGING_*, read once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from chassis.production import Outside
from chassis.settings import ServiceSettings
from objects.store import S3Access
from sealing import decoded_key


def _is_key(secret: SecretStr) -> SecretStr:
    decoded_key(secret.get_secret_value())
    return secret


class MessagingSettings(ServiceSettings):
    """``key_encryption_key``: 32 random bytes in base64; it wraps every person's key."""

    model_config = SettingsConfigDict(env_prefix="MESSAGING_", frozen=True)

    database_schema: str = "messaging"
    key_encryption_key: Annotated[SecretStr, AfterValidator(_is_key)]
    send_lanes: int = Field(default=2, ge=1, le=32)
    send_batch_max: int = Field(default=128, ge=1, le=1000)
    retention_days_max: int | None = Field(
        default=None, ge=1, le=36500, description="nothing is kept longer; unset keeps what no dialog limits"
    )
    erasure_grace_days: int = Field(default=30, ge=0, le=365, description="from a deleted account to its erasure")
    sends_per_minute: int = Field(default=1_200, ge=1, description="of one person or bot, whichever way they send")
    dialog_sends_per_minute: int = Field(default=12_000, ge=1, description="in one dialog, of everybody")
    objects_kind: Literal["disk", "s3"] = Field(default="disk", description="where uploaded files are")
    objects_dir: Path = Field(description="folder of uploaded files; with s3, of those that are being judged")
    objects_s3_endpoint: str | None = Field(default=None, description="unset: Amazon's of the region")
    objects_s3_region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]+$")
    objects_s3_bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    objects_s3_access_key_id: SecretStr | None = None
    objects_s3_secret_access_key: SecretStr | None = None
    scanner_host: Annotated[str, Outside()] = Field(description="a virus scanner that speaks clamd's protocol")
    scanner_port: int = Field(default=3310, ge=1, le=65535)
    realtime_heartbeat_s: float = Field(default=25.0, gt=0, le=300)
    realtime_auth_timeout_s: float = Field(default=10.0, gt=0, le=60)
    realtime_connections_per_user: int = Field(default=10, ge=1)
    realtime_connections_max: int = Field(default=20_000, ge=1, description="of this node")
    realtime_frames_per_s: float = Field(default=50.0, gt=0, description="of one connection, for good")
    realtime_frames_burst: int = Field(default=200, ge=1, description="of one connection, at once")
    realtime_origins: str = Field(default="", description="pages, beside our own, that may connect; by comma")

    @field_validator("objects_s3_bucket", "objects_s3_access_key_id", "objects_s3_secret_access_key")
    @classmethod
    def _given_with_s3(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        if value is None and info.data.get("objects_kind") == "s3":
            raise PydanticCustomError("missing", "Field required")
        return value

    @field_validator("objects_s3_endpoint")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://s3")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("an address of the form https://host:port")
        return value and value.rstrip("/")

    def s3_access(self) -> S3Access:
        """For ``objects_kind`` s3."""
        key, secret = self.objects_s3_access_key_id, self.objects_s3_secret_access_key
        if self.objects_s3_bucket is None or key is None or secret is None:
            raise ValueError("objects are not in S3")
        return S3Access(
            bucket=self.objects_s3_bucket,
            region=self.objects_s3_region,
            access_key_id=key.get_secret_value(),
            secret_access_key=secret.get_secret_value(),
            endpoint=self.objects_s3_endpoint,
        )
