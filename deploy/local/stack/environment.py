"""The environment of each service, written to `.local/<instance>/env/<service>.env`.

Invariant: the file alone is enough to run the service by hand: `set -a; . FILE; python -m payment http`. Only what
migrates is given the schema's owner; that stands in `.local/<instance>/env/<service>-owner.env`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stack.context import Context, Service
from stack.layout import private_write
from stack.parts.kafka import ADMIN as KAFKA_ADMIN
from stack.parts.kafka import MECHANISM
from stack.parts.postgres import ADMIN as POSTGRES_ADMIN
from stack.parts.postgres import DATABASE
from stack.parts.redis import ADMIN as REDIS_ADMIN

# Of requests that do not say; one whose traceparent has the sampled flag is always traced.
TRACED_SHARE: Final = 0.05


def service_env_file(context: Context, name: str) -> Path:
    return context.layout.env / f"{name}.env"


def write_environments(context: Context) -> None:
    """Render the file of every service, and `infra.env` for tests and tools that administer."""
    for service in context.services:
        _write(service_env_file(context, service.name), service_environment(context, service))
        _write(service_env_file(context, f"{service.name}-owner"), owner_environment(context, service))
    _write(service_env_file(context, "infra"), infra_environment(context))
    _write(service_env_file(context, "sandbox"), sandbox_environment(context))
    _write(service_env_file(context, "gateway"), gateway_environment(context))


def infra_environment(context: Context) -> dict[str, str]:
    ports = context.ports
    return {
        "POSTGRES_ADMIN_DSN": _dsn(context, POSTGRES_ADMIN, context.passwords["postgres-admin"]),
        "REDIS_URL": _redis_url(context, REDIS_ADMIN),
        "KAFKA_BOOTSTRAP": f"127.0.0.1:{ports['kafka']}",
        "KAFKA_SASL_MECHANISM": MECHANISM,
        "KAFKA_ADMIN_USERNAME": KAFKA_ADMIN,
        "KAFKA_ADMIN_PASSWORD": context.passwords[f"kafka-{KAFKA_ADMIN}"],
        "GATEWAY_URL": f"http://127.0.0.1:{ports['gateway']}",
        "SANDBOX_URL": _sandbox_url(context),
    }


def service_environment(context: Context, service: Service) -> dict[str, str]:
    name, ports, passwords = service.name, context.ports, context.passwords
    values = {
        "ENVIRONMENT": "local",
        "HTTP_PORT": str(ports[name]),
        "OPS_PORT": str(ports[f"{name}_ops"]),
        "DATABASE_DSN": _dsn(context, name, passwords[f"postgres-{name}"]),
        "REDIS_URL": _redis_url(context, name),
        "KAFKA_BOOTSTRAP": f"127.0.0.1:{ports['kafka']}",
        "KAFKA_USERNAME": name,
        "KAFKA_INSTANCE": f"{name}-1",  # one process a service here, so a restarted one takes up where it was
        "KAFKA_PASSWORD": passwords[f"kafka-{name}"],
        "JWKS_URL": f"http://127.0.0.1:{ports['auth']}/.well-known/jwks.json",
        "CURSOR_SECRET": passwords[f"cursor-{name}"],
        "OTLP_ENDPOINT": _sandbox_url(context),
        "TRACE_SAMPLE_RATIO": str(TRACED_SHARE),
    }
    values |= _own_settings(context).get(name, {})
    return {f"{name.upper()}_{key}": value for key, value in values.items()}


def owner_environment(context: Context, service: Service) -> dict[str, str]:
    """What `migrate` needs beside the service's environment."""
    owner = f"{service.name}_owner"
    dsn = _dsn(context, owner, context.passwords[f"postgres-owner-{service.name}"])
    return {f"{service.name.upper()}_DATABASE_OWNER_DSN": dsn}


def _own_settings(context: Context) -> dict[str, dict[str, str]]:
    """What single services need beside what every service needs."""
    ports, passwords = context.ports, context.passwords
    sandbox = _sandbox_url(context)
    return {
        "auth": {
            "KEY_ENCRYPTION_KEY": passwords.key_base64("auth-key-encryption-key"),
            # Everybody on this machine has the one loopback address: limits per address would be limits for all.
            "SIGN_INS_PER_ADDRESS_PER_MINUTE": "100000",
            "SIGN_UPS_PER_ADDRESS_PER_HOUR": "100000",
            "CODES_PER_ADDRESS_PER_HOUR": "100000",
        },
        "payment": {
            "SANDBOX_URL": sandbox,
            "SANDBOX_API_KEY": passwords["sandbox-api-key"],
            "SANDBOX_WEBHOOK_SECRET": passwords["sandbox-webhook-secret"],
        },
        "notification": {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(ports["sandbox_smtp"]),
            "SMS_BASE_URL": sandbox,
            "SMS_API_KEY": passwords["sandbox-api-key"],
        },
        "orchestrator": {
            "CONSUMER_SESSION_S": "3",  # another engine takes a dead one's sagas over in about 4 s
        },
        "messaging": {
            "KEY_ENCRYPTION_KEY": passwords.key_base64("messaging-key-encryption-key"),
            "OBJECTS_DIR": str(context.layout.home / "objects"),
            "SCANNER_HOST": "127.0.0.1",
            "SCANNER_PORT": str(ports["sandbox_scanner"]),
            "SENDS_PER_MINUTE": "100000",  # one account writes here what a crowd would
        },
    }


def sandbox_environment(context: Context) -> dict[str, str]:
    return {
        "SANDBOX_HTTP_PORT": str(context.ports["sandbox"]),
        "SANDBOX_SMTP_PORT": str(context.ports["sandbox_smtp"]),
        "SANDBOX_SCANNER_PORT": str(context.ports["sandbox_scanner"]),
        "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{context.ports['gateway']}/v1/provider-webhooks/sandbox",
        "SANDBOX_WEBHOOK_SECRET": context.passwords["sandbox-webhook-secret"],
        "SANDBOX_API_KEY": context.passwords["sandbox-api-key"],
    }


def gateway_environment(context: Context) -> dict[str, str]:
    ports = context.ports
    return {
        "GATEWAY_PORT": str(ports["gateway"]),
        "GATEWAY_ADMIN_PORT": str(ports["gateway_admin"]),
        "GATEWAY_PORTAL_DIR": str(context.layout.run / "portal"),
        "GATEWAY_OTLP_ENDPOINT": _sandbox_url(context),
        "GATEWAY_TRACE_PERCENT": f"{100 * TRACED_SHARE:g}",
        **{f"GATEWAY_{s.name.upper()}_PORT": str(ports[s.name]) for s in context.services},
        **{f"GATEWAY_{s.name.upper()}_OPS_PORT": str(ports[f"{s.name}_ops"]) for s in context.services},
    }


def _sandbox_url(context: Context) -> str:
    """The providers' stand-in, which collects traces too."""
    return f"http://127.0.0.1:{context.ports['sandbox']}"


def _dsn(context: Context, user: str, password: str) -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{context.ports['postgres']}/{DATABASE}"


def _redis_url(context: Context, user: str) -> str:
    return f"redis://{user}:{context.passwords[f'redis-{user}']}@127.0.0.1:{context.ports['redis']}/0"


def _write(path: Path, values: Mapping[str, str]) -> None:
    private_write(path, "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items()))
