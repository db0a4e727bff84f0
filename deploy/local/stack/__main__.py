"""python -m stack up | down | status | logs | restart | stop | start | pid | reset | env"""

from __future__ import annotations

import argparse
import os
import sys

from stack import containers, processes
from stack.engine import docker_is_used
from stack.failure import StackError

NAMES = ("restart", "stop", "start")
INTERRUPTED = 130


def main() -> int:
    os.environ.pop("PYTHONPATH", None)
    os.umask(0o022)
    arguments = _parser().parse_args()
    commands = containers.COMMANDS if docker_is_used() else processes.COMMANDS
    try:
        return commands[arguments.command](arguments)
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstack: interrupted; `make down` stops what runs", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)  # threads that still wait for a part are not waited for


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stack", description="The stack on this machine: processes, or containers.")
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("up", help="start what does not run, and wait until it answers")
    starting.add_argument("--only", choices=["infra"], help="Postgres, Redis and Kafka without our services")
    commands.add_parser("down", help="stop everything")
    commands.add_parser("reset", help="stop everything and delete its data")
    commands.add_parser("status", help="show the parts")
    for name in NAMES:
        commands.add_parser(name, help=f"{name} parts; all of ours when none is named").add_argument("parts", nargs="*")
    commands.add_parser("logs", help="show a part's log").add_argument("part", nargs="?")
    commands.add_parser("pid", help="print a part's process id").add_argument("part")
    commands.add_parser("env", help="print a service's environment").add_argument("part")
    return parser


if __name__ == "__main__":
    sys.exit(main())
