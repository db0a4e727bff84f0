"""Which parts of which files are made, and by what. A new file begins here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from made import codes, compose, documents, helm, linters, prometheus, redis
from registry import Service, processes
from stack.layout import CHECKOUT


def parts_by_file(services: Sequence[Service]) -> dict[str, Mapping[str, str]]:
    """Paths below the checkout → names of parts → their lines, without indentation."""
    ours = processes(services)
    return {
        "docker-compose.yml": compose.parts(ours),
        "deploy/prometheus/prometheus.yml": prometheus.parts(services),
        "deploy/helm/sampan/values.yaml": helm.parts(ours),
        "deploy/redis/users.acl": redis.parts(ours),
        "pyproject.toml": linters.parts(services),
        "README.md": documents.front_page_parts(services),
        "docs/SERVICES.md": documents.parts(services),
        "docs/CODES.md": codes.parts(CHECKOUT),
    }
