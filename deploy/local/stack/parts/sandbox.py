"""The sandbox: other people's servers (payment provider, SMS, mail) as one process that shows what it was sent."""

from __future__ import annotations

from stack import probe
from stack.context import Context
from stack.environment import service_env_file
from stack.part import Part


def sandbox(context: Context) -> Part:
    port = context.ports["sandbox"]
    return Part(
        name="sandbox",
        kind="app",
        command=(str(context.layout.python), "-m", "sandbox"),
        directory=context.layout.checkout,
        env_file=service_env_file(context, "sandbox"),
        ports=("sandbox", "sandbox_smtp", "sandbox_scanner"),
        ready=lambda: probe.answers_http(port, "/") and probe.accepts_tcp(context.ports["sandbox_smtp"]),
        wish=f"http://127.0.0.1:{port}/",
    )
