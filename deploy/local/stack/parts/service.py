"""One of our services in role `all`: every role in one event loop. Ready when its own /readyz says so."""

from __future__ import annotations

from registry import Service
from stack import probe
from stack.context import Context
from stack.environment import service_env_file
from stack.part import Part


def service_part(context: Context, service: Service) -> Part:
    ops_port = context.ports[f"{service.name}_ops"]
    return Part(
        name=service.name,
        kind="app",
        command=(str(context.layout.python), "-m", service.name, "all"),
        directory=context.layout.checkout,
        env_file=service_env_file(context, service.name),
        ports=(service.name, f"{service.name}_ops"),
        ready=lambda: probe.answers_http(ops_port, "/readyz"),
        needs=("postgres", "redis", "topics", f"migrate {service.name}"),
        stop_timeout_s=30,
        wish=f"http://127.0.0.1:{context.ports[service.name]}",
    )
