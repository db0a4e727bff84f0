"""No secret has a default, nobody is a provider by default, and the sandbox refuses to exist in production."""

from __future__ import annotations

import pytest

from chassis.settings import EXIT_CONFIG, load_settings
from payment.settings import PaymentSettings
from payment.wiring import open_providers

NEEDED = {
    "HTTP_PORT": "0",
    "OPS_PORT": "0",
    "DATABASE_DSN": "postgresql://u:p@127.0.0.1/d",
    "REDIS_URL": "redis://payment:p@127.0.0.1",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "KAFKA_USERNAME": "payment",
    "KAFKA_PASSWORD": "p",
    "JWKS_URL": "http://127.0.0.1/jwks",
    "CURSOR_SECRET": "a-secret-of-sixteen-or-more",
}
SANDBOX = {
    "SANDBOX_URL": "http://127.0.0.1:1",
    "SANDBOX_API_KEY": "an-api-key",
    "SANDBOX_WEBHOOK_SECRET": "a-webhook-secret",
}


@pytest.fixture
def read(monkeypatch):
    def settings(**more):
        for name in SANDBOX:
            monkeypatch.delenv(f"PAYMENT_{name}", raising=False)
        for name, value in {**NEEDED, **more}.items():
            monkeypatch.setenv(f"PAYMENT_{name}", value)
        return load_settings(PaymentSettings)

    return settings


@pytest.mark.parametrize("environment", ["local", "production"])
async def test_without_configuration_there_is_no_provider(read, environment):
    async with open_providers(read(ENVIRONMENT=environment)) as providers:
        assert dict(providers) == {}


async def test_a_configured_sandbox_is_a_provider(read):
    async with open_providers(read(ENVIRONMENT="test", **SANDBOX)) as providers:
        assert list(providers) == ["sandbox"]


@pytest.mark.parametrize("name", SANDBOX)
def test_naming_any_of_the_sandbox_in_production_is_refused_by_name(read, capsys, name):
    with pytest.raises(SystemExit) as ended:
        read(ENVIRONMENT="production", **{name: SANDBOX[name]})
    assert ended.value.code == EXIT_CONFIG
    said = capsys.readouterr().err
    assert f"PAYMENT_{name} is wrong: the sandbox provider refuses to exist in production" in said
    assert SANDBOX[name] not in said


@pytest.mark.parametrize("name", ["SANDBOX_API_KEY", "SANDBOX_WEBHOOK_SECRET"])
def test_a_sandbox_without_its_secrets_is_refused_by_name(read, capsys, name):
    given = {key: value for key, value in SANDBOX.items() if key != name}
    with pytest.raises(SystemExit):
        read(ENVIRONMENT="local", **given)
    assert f"PAYMENT_{name} is wrong: it is missing" in capsys.readouterr().err
