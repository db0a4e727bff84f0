"""Settings: environment variables, read once into a frozen object.

Invariant: a process never starts with a missing or wrong setting; it says which one, in one sentence, and exits
with 78 (EX_CONFIG). No secret has a default, and where it runs is always said: production is never a guess, nor is a
machine that is not production.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis import production

EXIT_CONFIG = 78


class ServiceSettings(BaseSettings):
    """What every service needs. A service's subclass sets ``env_prefix``, e.g. ``PAYMENT_``."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    environment: Literal["local", "test", "production"]
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65535)
    ops_host: str = "127.0.0.1"
    ops_port: int = Field(ge=0, le=65535)
    trusted_proxies: str = Field(
        default="127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7",
        description="networks whose X-Forwarded-For is believed",
    )

    database_dsn: SecretStr = Field(description="as the role that serves: it owns nothing")
    database_owner_dsn: SecretStr | None = Field(
        default=None, description="as the schema's owner: only `migrate` reads it, so only `migrate` is given it"
    )
    database_schema: str = Field(default="", pattern=r"^[a-z_][a-z0-9_]*$|^$")
    database_pool_min: int = Field(default=1, ge=0)
    database_pool_max: int = Field(default=10, ge=1)
    database_statement_timeout_s: float = Field(default=10.0, gt=0)
    database_lock_timeout_s: float = Field(default=3.0, gt=0)

    redis_url: SecretStr

    kafka_bootstrap: str
    kafka_username: str | None = Field(default=None, validate_default=True)
    kafka_password: SecretStr | None = Field(default=None, validate_default=True)
    kafka_topic_prefix: str = ""
    kafka_instance: str | None = Field(
        default=None, description="a name no other live process has: after a kill its partitions come back at once"
    )

    jwks_url: str
    jwt_issuer: str = "sampan-auth"
    jwt_audience: str = "sampan"
    cursor_secret: SecretStr = Field(min_length=16)

    otlp_endpoint: str | None = None
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1, description="of flows that arrive without a traceparent")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    startup_timeout_s: float = Field(default=30.0, ge=0, description="how long to wait for Postgres at start")
    drain_delay_s: float = Field(default=0.0, ge=0, description="not ready, yet still accepting, before the drain")
    drain_timeout_s: float = Field(default=25.0, gt=0, description="time for requests and records in flight")

    @field_validator("*")
    @classmethod
    def _fits_production(cls, value: Any, info: ValidationInfo) -> Any:
        """Of this class and of every service's own settings."""
        if info.data.get("environment") == "production" and info.field_name is not None:
            field = cls.model_fields[info.field_name]
            production.refuse(
                info.field_name, value, outside=any(isinstance(each, production.Outside) for each in field.metadata)
            )
        return value

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002 -- pydantic's signature
        if not self.database_schema:
            object.__setattr__(self, "database_schema", self.service_name())

    @classmethod
    def service_name(cls) -> str:
        """Lower-case name of the service, from the prefix of its variables."""
        return cls.model_config.get("env_prefix", "").rstrip("_").lower()


S = TypeVar("S", bound=BaseSettings)


def load_settings(cls: type[S]) -> S:
    """Read the environment. A missing or wrong variable is named on stderr, in one sentence, and ends the process."""
    try:
        return cls()
    except ValidationError as error:
        sys.stderr.write(complaint(cls, error) + "\n")
        raise SystemExit(EXIT_CONFIG) from None


def complaint(cls: type[BaseSettings], error: ValidationError) -> str:
    """One sentence with every variable at fault. Values are never repeated: they may be secrets."""
    faults = [_fault(cls, each) for each in error.errors(include_input=False, include_url=False)]
    return "; ".join(dict.fromkeys(faults)) + "."


def _fault(cls: type[BaseSettings], fault: ErrorDetails) -> str:
    prefix = cls.model_config.get("env_prefix", "")
    field = str(fault["loc"][0]) if fault["loc"] else ""
    variable = f"{prefix}{field}".upper() if field else "The settings"
    if fault["type"] == "missing":
        return f"{variable} is missing"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{variable} is wrong: {message[:1].lower()}{message[1:]}"
