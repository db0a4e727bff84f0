"""Nothing starts in production by accident: without its settings, or with the sandbox's, every role refuses by name."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from chassis.settings import ServiceSettings
from stack.context import find_services

pytestmark = pytest.mark.component

CHECKOUT = Path(__file__).resolve().parents[3]
SERVICES = tuple(service.name for service in find_services(CHECKOUT))
ROLES = ("http", "consume", "relay", "jobs", "all", "migrate")
KEY = "8J+SqfCfkqnwn5Kp8J+SqfCfkqnwn5Kp8J+SqfCfkqk="
# What production is given: true in form, reached by nobody.
COMMON = {
    "ENVIRONMENT": "production",
    "HTTP_PORT": "8080",
    "OPS_PORT": "8081",
    "DATABASE_DSN": "postgresql://{service}:s3cret-of-it@db.internal/sampan",
    "REDIS_URL": "redis://{service}:s3cret-of-it@redis.internal/0",
    "KAFKA_BOOTSTRAP": "kafka.internal:9092",
    "KAFKA_USERNAME": "{service}",
    "KAFKA_PASSWORD": "s3cret-of-it",
    "JWKS_URL": "http://sampan-auth:8080/.well-known/jwks.json",
    "CURSOR_SECRET": "thirty-two-characters-of-its-own",
}
OWN = {
    "auth": {"KEY_ENCRYPTION_KEY": KEY},
    "messaging": {"KEY_ENCRYPTION_KEY": KEY, "OBJECTS_DIR": "/var/lib/objects", "SCANNER_HOST": "clamd.internal"},
    "notification": {
        "SMTP_HOST": "mail.provider.net",
        "SMTP_PORT": "587",
        "SMS_BASE_URL": "https://sms.provider.net",
        "SMS_API_KEY": "s3cret-of-the-provider",
    },
}
REQUIRED = {name: [*(each for each in COMMON if each != "ENVIRONMENT"), *OWN.get(name, {})] for name in SERVICES}
SANDBOX = {
    "CURSOR_SECRET": "test-only-cursor-secret-of-32-bytes",
    "KAFKA_PASSWORD": "sandbox-password",
    "REDIS_URL": "redis://:everybodys@redis.internal/0",
    "DATABASE_DSN": "postgresql://test-only:test-only@db.internal/sampan",
}
OWN_SANDBOX = {
    "messaging": {"SCANNER_HOST": "127.0.0.1"},
    "notification": {
        "SMTP_HOST": "sandbox",
        "SMS_BASE_URL": "http://127.0.0.1:18190",
        "SMS_API_KEY": "sandbox-api-key",
    },
    "payment": {
        "SANDBOX_URL": "http://127.0.0.1:18190",
        "SANDBOX_API_KEY": "s3cret-of-it-all",
        "SANDBOX_WEBHOOK_SECRET": "s3cret-of-it-all",
    },
}


def prefixed(service: str, values: dict[str, str]) -> dict[str, str]:
    return {f"{service.upper()}_{name}": value.format(service=service) for name, value in values.items()}


def bare() -> dict[str, str]:
    """What a process needs to be one, and no setting of ours."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


async def start(service: str, role: str, environment: dict[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", service, role),
        env={**bare(), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, output.decode()


def model_of(service: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"{service}.settings")
    [found] = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings) and each is not ServiceSettings
    ]
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("service", SERVICES)
async def test_without_settings_it_refuses_by_naming_each(service: str, role: str) -> None:
    code, said = await start(service, role, prefixed(service, {"ENVIRONMENT": "production"}))
    assert code == 78, said
    for name in REQUIRED[service]:
        assert f"{service.upper()}_{name} is missing" in said


@pytest.mark.parametrize("service", SERVICES)
async def test_without_being_told_where_it_runs_it_refuses(service: str) -> None:
    values = prefixed(service, {**COMMON, **OWN.get(service, {})})
    del values[f"{service.upper()}_ENVIRONMENT"]
    assert await start(service, "all", values) == (78, f"{service.upper()}_ENVIRONMENT is missing.\n")


@pytest.mark.parametrize("service", SERVICES)
async def test_with_the_sandboxs_values_it_refuses_by_naming_each(service: str) -> None:
    given = {**SANDBOX, **OWN_SANDBOX.get(service, {})}
    code, said = await start(service, "all", prefixed(service, {**COMMON, **OWN.get(service, {}), **given}))
    assert code == 78, said
    for name in given:
        assert f"{service.upper()}_{name} is wrong" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("service", SERVICES)
def test_with_all_of_its_own_it_would_start(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what is refused above is refused for what it is."""
    for name, value in prefixed(service, {**COMMON, **OWN.get(service, {})}).items():
        monkeypatch.setenv(name, value)
    assert model_of(service)().environment == "production"


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_has_a_default(service: str) -> None:
    fields: dict[str, Any] = dict(model_of(service).model_fields)
    secret = {
        name
        for name, field in fields.items()
        if "SecretStr" in str(field.annotation) or name.endswith(("_secret", "_key", "_password", "_token"))
    }
    assert {"database_dsn", "redis_url", "kafka_password", "cursor_secret"} <= secret
    for name in secret:
        assert fields[name].is_required() or fields[name].default is None, name
        assert not isinstance(fields[name].default, SecretStr), name
    assert fields["environment"].is_required()
