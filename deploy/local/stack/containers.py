"""The commands over docker-compose.yml, for machines where a Docker engine answers. Each returns an exit code.

Ports, passwords and the files under `.local/<instance>/env` are the same as without Docker, so that tests, the demo
and tools find the stack the same way.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Callable, Mapping

from stack.catalogue import INFRA
from stack.context import Context, make_context
from stack.environment import service_env_file, write_environments
from stack.failure import StackError
from stack.instance import locked, running_context
from stack.layout import current_layout, private_write
from stack.places import process_places
from stack.ports import keep_ports, wanted_ports
from stack.processes import show_environment
from stack.secret_names import secrets_of


def _up(arguments: argparse.Namespace) -> int:
    layout = current_layout()
    with locked(layout):
        context = make_context(layout, wanted_ports(layout))
        write_environments(context)
        keep_ports(layout, context.ports)
        private_write(service_env_file(context, "compose"), compose_environment(context))
        if arguments.only != "infra":
            return _compose(context, "up", "--detach", "--build", "--wait")
        code = _compose(context, "up", "--detach", "--wait", *INFRA)
        return code or _compose(context, "run", "--rm", "schemas")


def _down(_: argparse.Namespace) -> int:
    context = _started()
    return _compose(context, "down", "--remove-orphans") if context else 0


def _reset(_: argparse.Namespace) -> int:
    context = _started()
    code = _compose(context, "down", "--remove-orphans", "--volumes") if context else 0
    if code == 0:
        shutil.rmtree(current_layout().home, ignore_errors=True)
    return code


def _status(_: argparse.Namespace) -> int:
    return _compose(_required(), "ps", "--all")


def _logs(arguments: argparse.Namespace) -> int:
    return _compose(_required(), "logs", "--tail", "200", *([arguments.part] if arguments.part else []))


def _parts(word: str) -> Callable[[argparse.Namespace], int]:
    return lambda arguments: _compose(_required(), word, *arguments.parts)


def _pid(arguments: argparse.Namespace) -> int:
    return _compose(_required(), "top", arguments.part)


def compose_environment(context: Context) -> str:
    """Everything docker-compose.yml refers to: ports, passwords, roles."""
    passwords = context.passwords
    values = {
        "SAMPAN_INSTANCE": context.layout.instance,
        "POSTGRES_ADMIN_PASSWORD": passwords["postgres-admin"],
        "REDIS_ADMIN_PASSWORD": passwords["redis-admin"],
        "REDIS_PROBE_PASSWORD": passwords["redis-probe"],
        "KAFKA_ADMIN_PASSWORD": passwords["kafka-admin"],
        "SANDBOX_API_KEY": passwords["sandbox-api-key"],
        "SANDBOX_WEBHOOK_SECRET": passwords["sandbox-webhook-secret"],
    }
    places = process_places(context)
    for service in context.services:
        for variable in secrets_of(service):
            values[f"{service.name.upper()}_{variable}"] = places.secret(service, variable)
    return context.ports.render() + "".join(f"{name}={value}\n" for name, value in values.items())


def _started() -> Context | None:
    context = running_context()
    if context is None or not service_env_file(context, "compose").exists():
        print(f"{current_layout().instance} is not up")
        return None
    return context


def _required() -> Context:
    context = _started()
    if context is None:
        message = f"{current_layout().instance} is not up."
        raise StackError(message)
    return context


def _compose(context: Context, *words: str) -> int:
    command = [
        "docker",
        "compose",
        "--project-name",
        f"sampan-{context.layout.instance}",
        "--env-file",
        str(service_env_file(context, "compose")),
        *words,
    ]
    return subprocess.run(command, cwd=context.layout.checkout, check=False).returncode


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "up": _up,
    "down": _down,
    "reset": _reset,
    "status": _status,
    "logs": _logs,
    "restart": _parts("restart"),
    "stop": _parts("stop"),
    "start": _parts("start"),
    "pid": _pid,
    "env": show_environment,
}
