"""The environment of each service, written to `.local/<instance>/env/<service>.env`.

Invariant: the file alone is enough to run the service by hand: `set -a; . FILE; python -m payment http`. Only what
migrates is given the schema's owner; that stands in `.local/<instance>/env/<service>-owner.env`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from registry import Service
from stack.context import Context
from stack.layout import private_write
from stack.parts.kafka import ADMIN as KAFKA_ADMIN
from stack.parts.kafka import MECHANISM
from stack.parts.postgres import ADMIN as POSTGRES_ADMIN
from stack.parts.redis import ADMIN as REDIS_ADMIN
from stack.places import Places, process_places

# Of requests that do not say; one whose traceparent has the sampled flag is always traced.
TRACED_SHARE: Final = 0.05


def service_env_file(context: Context, name: str) -> Path:
    return context.layout.env / f"{name}.env"


def write_environments(context: Context) -> None:
    """Render the file of every service, and `infra.env` for tests and tools that administer."""
    places = process_places(context)
    for service in context.services:
        _write(service_env_file(context, service.name), service_environment(service, places))
        _write(service_env_file(context, f"{service.name}-owner"), owner_environment(service, places))
    _write(service_env_file(context, "infra"), infra_environment(context))
    _write(service_env_file(context, "sandbox"), sandbox_environment(context))
    _write(service_env_file(context, "gateway"), gateway_environment(context))


def infra_environment(context: Context) -> dict[str, str]:
    places = process_places(context)
    return {
        "POSTGRES_ADMIN_DSN": places.dsn(POSTGRES_ADMIN, context.passwords["postgres-admin"]),
        "REDIS_URL": places.redis_url(REDIS_ADMIN, context.passwords[f"redis-{REDIS_ADMIN}"]),
        "KAFKA_BOOTSTRAP": places.kafka,
        "KAFKA_SASL_MECHANISM": MECHANISM,
        "KAFKA_ADMIN_USERNAME": KAFKA_ADMIN,
        "KAFKA_ADMIN_PASSWORD": context.passwords[f"kafka-{KAFKA_ADMIN}"],
        "GATEWAY_URL": f"http://127.0.0.1:{context.ports['gateway']}",
        "SANDBOX_URL": places.sandbox_url,
    }


def service_environment(service: Service, places: Places) -> dict[str, str]:
    """Everything the service is given to serve, by the names of its variables."""
    values = {
        "ENVIRONMENT": "local",
        **places.listen(service),
        "DATABASE_DSN": places.dsn(service.name, places.secret(service, "POSTGRES_PASSWORD")),
        "REDIS_URL": places.redis_url(service.name, places.secret(service, "REDIS_PASSWORD")),
        "KAFKA_BOOTSTRAP": places.kafka,
        "KAFKA_USERNAME": service.name,
        "KAFKA_INSTANCE": f"{service.name}-1",  # one process a service here, so a restarted one takes up where it was
        "KAFKA_PASSWORD": places.secret(service, "KAFKA_PASSWORD"),
        "JWKS_URL": f"http://{places.auth}/.well-known/jwks.json",
        "CURSOR_SECRET": places.secret(service, "CURSOR_SECRET"),
        "OTLP_ENDPOINT": places.sandbox_url,
        "TRACE_SAMPLE_RATIO": str(TRACED_SHARE),
        **{secret: places.secret(service, secret) for secret in service.secrets},
        **{setting: places.fill(service, text) for setting, text in service.settings.items()},
    }
    return {f"{service.name.upper()}_{key}": value for key, value in values.items()}


def owner_environment(service: Service, places: Places) -> dict[str, str]:
    """What `migrate` needs beside the service's environment."""
    dsn = places.dsn(f"{service.name}_owner", places.secret(service, "OWNER_POSTGRES_PASSWORD"))
    return {f"{service.name.upper()}_DATABASE_OWNER_DSN": dsn}


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
        "GATEWAY_OTLP_ENDPOINT": f"http://127.0.0.1:{ports['sandbox']}",
        "GATEWAY_TRACE_PERCENT": f"{100 * TRACED_SHARE:g}",
        **{f"GATEWAY_{s.name.upper()}_PORT": str(ports[s.name]) for s in context.services},
        **{f"GATEWAY_{s.name.upper()}_OPS_PORT": str(ports[f"{s.name}_ops"]) for s in context.services},
    }


def _write(path: Path, values: Mapping[str, str]) -> None:
    private_write(path, "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items()))
