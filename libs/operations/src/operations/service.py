"""A service as its ``__main__.py`` declares it: what is its own, and what every service with an outbox has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from chassis.http import Routes
from chassis.run import Command, Runner, Service
from chassis.run.service import Check, no_runners
from chassis.settings import ServiceSettings
from operations import runners
from operations.app import Handlers, OperatedApp
from operations.commands import operator_commands
from operations.routes import operator_routes
from operations.web import make_service_app

S = TypeVar("S", bound=ServiceSettings)
A = TypeVar("A", bound=OperatedApp)


def make_service(
    *,
    settings: type[S],
    wire: Callable[[S], AbstractAsyncContextManager[A]],
    routes: Sequence[Routes],
    jobs: Callable[[A], Sequence[Runner]],
    commands: Mapping[str, Command] | None = None,
    handlers: Handlers | None = None,
    consumers: Callable[[A], Sequence[Runner]] | None = None,
    http: Callable[[Sequence[Routes], A], web.Application] = make_service_app,
    background: Callable[[A], Sequence[Runner]] = runners.background,
    checks: Callable[[A], Mapping[str, Check]] = runners.checks,
) -> Service[S, A]:
    """Operators' routes and commands are added to ``routes`` and ``commands``; the relay runs as it is.

    The name is that of the settings' variables, and the migrations lie beside the ``src`` that the settings are in.
    ``handlers`` is what the service consumes, None if nothing; ``consumers`` where more than one consumer runs.
    """
    name = settings.service_name()
    served = (*routes, operator_routes(name, handlers))
    if consumers is None:
        consumers = no_runners if handlers is None else partial(runners.consumers, handlers=handlers)
    return Service(
        name=name,
        settings=settings,
        wire=wire,
        migrations=Path(inspect.getfile(settings)).parents[2] / "migrations",
        routes=served,
        http=partial(http, served),
        consumers=consumers,
        relays=runners.relays,
        jobs=jobs,
        background=background,
        checks=checks,
        commands={**(commands or {}), **operator_commands(handlers)},
    )
