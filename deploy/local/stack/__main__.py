"""python -m stack up | down | status | logs | restart | stop | start | pid | reset | env"""

from __future__ import annotations

import argparse
import os
import sys

from stack import down, logs, status, turn, up
from stack.environment import service_env_file
from stack.failure import StackError
from stack.instance import running_context


def main() -> int:
    os.environ.pop("PYTHONPATH", None)
    os.umask(0o022)
    arguments = _parser().parse_args()
    try:
        return _run(arguments)
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stack: interrupted; `make down` stops what runs", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "up":
            up.up(only_infra=arguments.only == "infra")
        case "down":
            down.down()
        case "reset":
            down.reset()
        case "status":
            return status.status()
        case "logs":
            logs.logs(arguments.part)
        case "restart":
            turn.restart(arguments.parts)
        case "stop":
            turn.stop(arguments.parts)
        case "start":
            turn.start(arguments.parts)
        case "pid":
            print(turn.pid(arguments.part))
        case "env":
            return _env(arguments.part)
    return 0


def _env(part: str) -> int:
    context = running_context()
    path = service_env_file(context, part) if context else None
    if path is None or not path.exists():
        message = f"no environment of {part} yet; `make up` writes it."
        raise StackError(message)
    sys.stdout.write(path.read_text(encoding="utf-8"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stack", description="The stack on this machine, without Docker.")
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("up", help="start what does not run, and wait until it answers")
    starting.add_argument("--only", choices=["infra"], help="Postgres, Redis and Kafka without our services")
    for name, words in {"down": "stop everything", "reset": "stop everything and delete its data", "status": "show the parts"}.items():
        commands.add_parser(name, help=words)
    for name in ("restart", "stop", "start"):
        commands.add_parser(name, help=f"{name} parts; all of ours when none is named").add_argument("parts", nargs="*")
    commands.add_parser("logs", help="show a part's log").add_argument("part", nargs="?")
    commands.add_parser("pid", help="print a part's process id").add_argument("part")
    commands.add_parser("env", help="print a service's environment").add_argument("part")
    return parser


if __name__ == "__main__":
    sys.exit(main())
