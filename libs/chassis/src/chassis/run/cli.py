"""``python -m <service> …``: roles, migrations, the OpenAPI document, and the service's own commands.

Exit codes: 0 done, 2 wrong usage, 3 ``migrate --check`` found work, 69 a part is not reachable, 78 a setting is
missing or wrong, anything else is the command's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, Final, NoReturn

import structlog
import uvloop
from redis.exceptions import RedisError

from chassis.http.openapi import build_openapi, render_openapi
from chassis.outages import CONNECTION_LOST
from chassis.run.process import ROLES, run_process
from chassis.run.service import Service
from chassis.settings import ServiceSettings, load_settings
from chassis.telemetry import configure_logging, configure_tracing

log = structlog.get_logger()

EXIT_PENDING: Final = 3
EXIT_UNAVAILABLE: Final = 69
_UNREACHABLE: Final = (*CONNECTION_LOST, RedisError)
_ROLE_HELP: Final = {
    "http": "serve the public routes",
    "consume": "handle records from Kafka",
    "relay": "send the outbox to Kafka",
    "jobs": "run periodic jobs",
}


def main(service: Service[Any, Any], argv: Sequence[str] | None = None) -> NoReturn:
    """Do what the arguments say, then exit."""
    arguments = build_parser(service).parse_args(argv)
    try:
        code = _dispatch(service, arguments)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    raise SystemExit(code)


def build_parser(service: Service[Any, Any]) -> argparse.ArgumentParser:
    """The service's command line."""
    prefix = service.settings.model_config.get("env_prefix", "")
    parser = argparse.ArgumentParser(
        prog=f"python -m {service.name}",
        description=f"The {service.name} service. Settings come from environment variables {prefix}*.",
        epilog="SIGTERM drains: not ready, no new work, work in flight finished, then exit 0.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for role, text in _ROLE_HELP.items():
        commands.add_parser(role, help=text, description=text)
    commands.add_parser("all", help="every role in one process", description="every role in one process")
    _add_migrate(commands)
    commands.add_parser("openapi", help="print the OpenAPI 3.1 document", description="needs no settings")
    commands.add_parser("settings", help="list the settings and their defaults", description="needs no settings")
    for name, command in service.commands.items():
        command.arguments(commands.add_parser(name, help=command.help, description=command.help))
    return parser


def _add_migrate(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the schema to the newest revision")
    how = migrate.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help=f"change nothing; exit {EXIT_PENDING} when there is work")
    how.add_argument("--to", metavar="REVISION", default="head", help="a revision, -1, or base (default: head)")
    how.add_argument("--sql", action="store_true", help="print the SQL of every migration; no connection")


def _dispatch(service: Service[Any, Any], arguments: argparse.Namespace) -> int:
    command: str = arguments.command
    if command == "openapi":
        sys.stdout.buffer.write(render_openapi(build_openapi(service.name, service.routes)) + b"\n")
        return 0
    if command == "settings":
        return _print_settings(service.settings)
    if command == "migrate" and arguments.sql:
        return _print_sql(service)
    settings: ServiceSettings = load_settings(service.settings)
    configure_logging(service.name, level=settings.log_level, fmt=settings.log_format)
    if command == "migrate":
        return _run(_migrate(service, settings, arguments))
    provider = configure_tracing(
        service.name, endpoint=settings.otlp_endpoint, sample_ratio=settings.trace_sample_ratio
    )
    try:
        if command in service.commands:
            return _run(_run_command(service, settings, arguments))
        return _run(_serve(service, settings, ROLES if command == "all" else (command,)))
    finally:
        if provider is not None:
            provider.shutdown()


def _run(coroutine: Coroutine[Any, Any, int]) -> int:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
    except _UNREACHABLE as error:
        log.exception("process.unavailable")
        sys.stderr.write(f"cannot go on: {type(error).__name__}: {error}\n".replace("\n", " ").strip() + "\n")
        return EXIT_UNAVAILABLE


async def _serve(service: Service[Any, Any], settings: ServiceSettings, roles: Sequence[str]) -> int:
    await run_process(service, settings, roles)
    return 0


async def _run_command(service: Service[Any, Any], settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    async with service.wire(settings) as app:
        return await service.commands[arguments.command].run(app, arguments) or 0


async def _migrate(service: Service[Any, Any], settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    from chassis import migrations  # noqa: PLC0415 -- Alembic is slow to import, and roles do not need it

    folder = _folder(service)
    if not arguments.check:
        revision = await migrations.upgrade(settings, folder, to=arguments.to)
        log.info("migrate.done", revision=revision)
        return 0
    missing = await migrations.pending(settings, folder)
    if missing:
        sys.stdout.write(f"{service.name}: to do: {', '.join(missing)}\n")
    return EXIT_PENDING if missing else 0


def _print_sql(service: Service[Any, Any]) -> int:
    from chassis import migrations  # noqa: PLC0415 -- as above

    migrations.write_sql(_folder(service), service.settings.service_name())
    return 0


def _folder(service: Service[Any, Any]) -> Any:
    if service.migrations is None:
        sys.stderr.write(f"{service.name} has no database, so nothing to migrate.\n")
        raise SystemExit(2)
    return service.migrations


def _print_settings(settings: type[ServiceSettings]) -> int:
    prefix = settings.model_config.get("env_prefix", "")
    for name, field in settings.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default!r}"
        about = f"  {field.description}" if field.description else ""
        sys.stdout.write(f"{prefix}{name.upper()}  ({default}){about}\n")
    return 0
