"""Envoy with the configuration that services/gateway renders for this instance's ports."""

from __future__ import annotations

from stack import probe
from stack.context import Context
from stack.environment import gateway_environment, service_env_file
from stack.part import Part
from stack.run import run_python


def gateway(context: Context) -> Part:
    configuration = context.layout.conf / "envoy.yaml"
    admin_port = context.ports["gateway_admin"]

    def prepare() -> None:
        run_python(
            context,
            "gateway-render",
            ("-m", "gateway", "render", "--out", str(configuration)),
            environment=gateway_environment(context),
        )

    return Part(
        name="gateway",
        kind="app",
        command=(
            *(str(context.layout.python), "-m", "envoy._main", "-c", str(configuration)),
            *("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"),
        ),
        directory=context.layout.checkout,
        env_file=service_env_file(context, "gateway"),
        ports=("gateway", "gateway_admin"),
        prepare=prepare,
        ready=lambda: probe.answers_http(admin_port, "/ready"),
        wish=f"http://127.0.0.1:{context.ports['gateway']}",
    )
