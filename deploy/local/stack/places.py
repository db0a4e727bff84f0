"""Where a service finds the parts around it, and how it is given its secrets: as a process, or as a container."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from registry import Service
from stack.context import Context
from stack.failure import StackError
from stack.parts.postgres import DATABASE
from stack.secret_names import secrets_of

_PLACEHOLDER: Final = re.compile(r"\{([a-z_.]+)\}")
_SET: Final = ":?run make up"  # of a variable that Compose finds empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Addresses are ``host:port``. ``listen`` are a service's own settings of where it listens.

    ``secret`` gives a service's secret by its variable; ``values`` fill the placeholders of ``service.toml``.
    """

    postgres: str
    redis: str
    kafka: str
    auth: str
    sandbox_url: str
    values: Mapping[str, str]
    listen: Callable[[Service], Mapping[str, str]]
    secret: Callable[[Service, str], str]

    def dsn(self, user: str, password: str) -> str:
        return f"postgresql://{user}:{password}@{self.postgres}/{DATABASE}"

    def redis_url(self, user: str, password: str) -> str:
        return f"redis://{user}:{password}@{self.redis}/0"

    def fill(self, service: Service, text: str) -> str:
        """A setting with its placeholders filled. Raises ``StackError`` that names the file."""

        def value(match: re.Match[str]) -> str:
            try:
                return self.values[match[1]]
            except KeyError:
                message = (
                    f"{service.name}/service.toml: nothing is called {match[0]}; there are {', '.join(self.values)}."
                )
                raise StackError(message) from None

        return _PLACEHOLDER.sub(value, text)


def process_places(context: Context) -> Places:
    """On this machine's loopback address, secrets as they are."""
    ports, passwords = context.ports, context.passwords
    sandbox_url = f"http://127.0.0.1:{ports['sandbox']}"

    def secret(service: Service, variable: str) -> str:
        named = secrets_of(service)[variable]
        return passwords.key_base64(named.file) if named.kind == "key" else passwords[named.file]

    return Places(
        postgres=f"127.0.0.1:{ports['postgres']}",
        redis=f"127.0.0.1:{ports['redis']}",
        kafka=f"127.0.0.1:{ports['kafka']}",
        auth=f"127.0.0.1:{ports['auth']}",
        sandbox_url=sandbox_url,
        values={
            "sandbox.url": sandbox_url,
            "sandbox.host": "127.0.0.1",
            "sandbox.smtp_port": str(ports["sandbox_smtp"]),
            "sandbox.scanner_port": str(ports["sandbox_scanner"]),
            "sandbox.api_key": passwords["sandbox-api-key"],
            "sandbox.webhook_secret": passwords["sandbox-webhook-secret"],
            "objects": str(context.layout.home / "objects"),
        },
        listen=lambda service: {
            "HTTP_PORT": str(ports[service.name]),
            "OPS_PORT": str(ports[f"{service.name}_ops"]),
        },
        secret=secret,
    )


def container_places() -> Places:
    """By the names and ports inside Compose's network; secrets are variables that `make up` writes."""
    return Places(
        postgres="postgres:5432",
        redis="redis:6379",
        kafka="kafka:9092",
        auth="auth:8000",
        sandbox_url="http://sandbox:8000",
        values={
            "sandbox.url": "http://sandbox:8000",
            "sandbox.host": "sandbox",
            "sandbox.smtp_port": "8025",
            "sandbox.scanner_port": "3310",
            "sandbox.api_key": f"${{SANDBOX_API_KEY{_SET}}}",
            "sandbox.webhook_secret": f"${{SANDBOX_WEBHOOK_SECRET{_SET}}}",
            "objects": "/var/lib/sampan/objects",
        },
        listen=lambda _: {"HTTP_HOST": "0.0.0.0", "HTTP_PORT": "8000", "OPS_HOST": "0.0.0.0", "OPS_PORT": "9000"},  # noqa: S104 -- in a container
        secret=lambda service, variable: f"${{{service.name.upper()}_{variable}{_SET}}}",
    )
