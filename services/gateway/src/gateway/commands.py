"""The commands behind ``python -m gateway``. Exit codes: 0 well, 1 broken, 3 out of date, 78 a setting is wrong.

Modules are imported by the command that needs them: ``run`` stays beside Envoy for its whole life, and small.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.errors import GatewayError

WELL, USAGE, DIFFERS = 0, 2, 3
Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str]) -> int:
    arguments, extra = _parser().parse_known_args(argv)
    command: Command = arguments.run
    arguments.extra = extra
    if extra and command is not _run:
        return _say(USAGE, f"not understood: {' '.join(extra)}")
    try:
        return command(arguments)
    except GatewayError as error:
        return _say(error.exit_code, str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, summary: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=summary, description=summary)
        made.set_defaults(run=run)
        return made

    render = add(
        "render", _render, "Write Envoy's configuration from GATEWAY_* and the services' routes, and the portal."
    )
    render.add_argument("--out", type=Path, required=True, help="FILE.yaml or FILE.json")
    add("validate", _validate, "Render an example with everything on and let Envoy judge it; needs no setting.")
    openapi = add("openapi", _openapi, "Merge what the services say of themselves into openapi.json.")
    openapi.add_argument("--check", action="store_true", help="only say whether it is out of date; exit 3 if it is")
    run = add("run", _run, "Run Envoy with a rendered configuration; SIGTERM drains. More options go to Envoy.")
    run.add_argument("-c", "--config", type=Path, required=True)
    add("drain", _drain, "Drain a running gateway: for a container's stop hook.")
    return parser


def _render(arguments: argparse.Namespace) -> int:
    from gateway.render import render_from_environment  # noqa: PLC0415
    from gateway.table import load_table  # noqa: PLC0415

    render_from_environment(arguments.out, load_table())
    return WELL


def _validate(_: argparse.Namespace) -> int:
    from gateway.render import validate_example  # noqa: PLC0415
    from gateway.table import load_table  # noqa: PLC0415

    validate_example(load_table())
    return WELL


def _openapi(arguments: argparse.Namespace) -> int:
    from gateway.portal.build import checkout  # noqa: PLC0415
    from gateway.portal.openapi import merge, service_document  # noqa: PLC0415
    from gateway.table import load_table  # noqa: PLC0415

    table = load_table()
    merged = merge({service: service_document(service) for service in table.services}, table)
    text = json.dumps(merged, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path = checkout() / "services" / "gateway" / "openapi.json"
    if arguments.check:
        same = path.exists() and path.read_text(encoding="utf-8") == text
        return WELL if same else _say(DIFFERS, f"{path.name} is out of date; run python -m gateway openapi")
    path.write_text(text, encoding="utf-8")
    return WELL


def _run(arguments: argparse.Namespace) -> int:
    from gateway import drain  # noqa: PLC0415
    from gateway.envoy.process import envoy_executable  # noqa: PLC0415

    admin_port, drain_s = drain.from_environment()
    return drain.run(
        envoy_executable(), arguments.config, admin_port=admin_port, drain_s=drain_s, arguments=arguments.extra
    )


def _drain(_: argparse.Namespace) -> int:
    from gateway import drain  # noqa: PLC0415

    drain.drain(*drain.from_environment())
    return WELL


def _say(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 -- a command talks
    return code
