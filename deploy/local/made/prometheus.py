"""A scrape job a service, named after it as the rules expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from registry import Service


def parts(services: Iterable[Service]) -> Mapping[str, str]:
    return {"scrapes": "".join(map(_job, services))}


def _job(service: Service) -> str:
    port, path = ("admin", "  metrics_path: /stats/prometheus\n") if service.kind == "gateway" else ("ops", "")
    target = f"127.0.0.1:{service.ports[port]}"
    return f'- job_name: {service.name}\n{path}  static_configs: [{{targets: ["{target}"]}}]\n'
