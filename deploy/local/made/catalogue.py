"""Which parts of which files are made, and by what. A new file begins here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from made import codes, compose, documents, helm, linters, prometheus, redis
from registry import Service
from stack.layout import CHECKOUT


def parts_by_file(services: Sequence[Service]) -> dict[str, Mapping[str, str]]:
    """Paths below the checkout → names of parts → their lines, without indentation."""
    processes = [service for service in services if service.kind == "service"]
    return {
        "docker-compose.yml": compose.parts(processes),
        "deploy/prometheus/prometheus.yml": prometheus.parts(services),
        "deploy/helm/sampan/values.yaml": helm.parts(processes),
        "deploy/redis/users.acl": redis.parts(processes),
        "pyproject.toml": linters.parts(services),
        "docs/SERVICES.md": documents.parts(services),
        "docs/CODES.md": codes.parts(CHECKOUT),
    }
