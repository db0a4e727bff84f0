"""The commands over processes that supervisor watches. Each returns an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from stack import down, logs, status, turn, up
from stack.environment import service_env_file
from stack.failure import StackError
from stack.instance import running_context

Command = Callable[[argparse.Namespace], int]


def _up(arguments: argparse.Namespace) -> int:
    up.up(only_infra=arguments.only == "infra")
    return 0


def _down(_: argparse.Namespace) -> int:
    down.down()
    return 0


def _reset(_: argparse.Namespace) -> int:
    down.reset()
    return 0


def _status(_: argparse.Namespace) -> int:
    return status.status()


def _logs(arguments: argparse.Namespace) -> int:
    logs.logs(arguments.part)
    return 0


def _restart(arguments: argparse.Namespace) -> int:
    turn.restart(arguments.parts)
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    turn.stop(arguments.parts)
    return 0


def _start(arguments: argparse.Namespace) -> int:
    turn.start(arguments.parts)
    return 0


def _pid(arguments: argparse.Namespace) -> int:
    print(turn.pid(arguments.part))
    return 0


def show_environment(arguments: argparse.Namespace) -> int:
    """Print what `make up` rendered for one service."""
    context = running_context()
    path = service_env_file(context, arguments.part) if context else None
    if path is None or not path.exists():
        message = f"no environment of {arguments.part} yet; `make up` writes it."
        raise StackError(message)
    sys.stdout.write(path.read_text(encoding="utf-8"))
    return 0


COMMANDS: Mapping[str, Command] = {
    "up": _up,
    "down": _down,
    "reset": _reset,
    "status": _status,
    "logs": _logs,
    "restart": _restart,
    "stop": _stop,
    "start": _start,
    "pid": _pid,
    "env": show_environment,
}
