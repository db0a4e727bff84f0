"""Settings of one gateway, from ``GATEWAY_*`` variables, read once.

Each service in the route table has its address in ``GATEWAY_<SERVICE>_HOST`` (127.0.0.1), ``GATEWAY_<SERVICE>_PORT``
and ``GATEWAY_<SERVICE>_OPS_PORT`` (health checks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic.functional_validators import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.errors import SettingError

PREFIX = "GATEWAY_"
Port = Annotated[int, Field(ge=1, le=65535)]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """What one gateway is told. Rates are requests per second."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Port
    admin_port: Port
    admin_host: str = "127.0.0.1"
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    trusted_hops: Annotated[int, Field(ge=0, le=5)] = 0
    jwt_issuer: str = "sampan-auth"
    jwt_audience: str = "sampan"
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    rate_per_s: Annotated[int, Field(gt=0)] = 5000
    rate_per_address_per_s: Annotated[int, Field(gt=0)] = 500
    otlp_endpoint: str | None = None
    trace_percent: Annotated[float, Field(ge=0, le=100)] = 100.0
    access_log_file: str = "/dev/stdout"
    portal_dir: Path | None = None
    drain_s: Annotated[int, Field(ge=0, le=300)] = 15

    @model_validator(mode="after")
    def _halves_come_together(self) -> Self:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("TLS_CERTIFICATE_FILE and TLS_KEY_FILE are set together or not at all")
        if self.otlp_endpoint is not None and urlsplit(self.otlp_endpoint).hostname is None:
            raise ValueError("OTLP_ENDPOINT is no URL such as http://collector:4318")
        return self


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where one service listens."""

    name: str
    host: str
    port: int
    ops_port: int


def load_settings() -> Settings:
    """Raises ``SettingError`` that names the first variable at fault."""
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{'_'.join(map(str, first['loc'][:1])).upper()}"
        problem = "is not set" if first["type"] == "missing" else f"is wrong: {first['msg']}"
        raise SettingError(f"{name} {problem}") from None


def load_upstreams(services: Iterable[str], environ: Mapping[str, str]) -> tuple[Upstream, ...]:
    """The address of each service. Raises ``SettingError`` that names the variable at fault."""
    return tuple(
        Upstream(
            service,
            environ.get(f"{PREFIX}{service.upper()}_HOST", "127.0.0.1"),
            _port(environ, f"{PREFIX}{service.upper()}_PORT"),
            _port(environ, f"{PREFIX}{service.upper()}_OPS_PORT"),
        )
        for service in services
    )


def _port(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name)
    if text is None:
        raise SettingError(f"{name} is not set")
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise SettingError(f"{name} is {text!r}: a port is a number from 1 to 65535")
    return int(text)
