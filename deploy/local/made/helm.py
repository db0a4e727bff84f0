"""The chart's services: each with its Secret's name and a Deployment for each of its roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from registry import Service


def parts(services: Iterable[Service]) -> Mapping[str, str]:
    return {"services": "".join(map(_service, services))}


def _service(service: Service) -> str:
    roles = ", ".join(f"{role}: *{role}" for role in service.roles)
    return f"{service.name}: {{secretName: sampan-{service.name}, env: {{}}, roles: {{{roles}}}}}\n"
