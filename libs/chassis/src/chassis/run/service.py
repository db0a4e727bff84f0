"""What a service is made of, declared in its ``__main__.py``."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from aiohttp import web

from chassis.http.routes import Routes
from chassis.run.runners import Runner
from chassis.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)
A = TypeVar("A")

Check = Callable[[], Awaitable[None]]


def no_runners(_: Any) -> Sequence[Runner]:
    return ()


def _no_checks(_: Any) -> Mapping[str, Check]:
    return {}


def _no_arguments(_: argparse.ArgumentParser) -> None:
    return


@dataclass(frozen=True, slots=True)
class Command:
    """One more thing ``python -m <service>`` can do, with everything wired. ``run`` returns the exit code.

    ``arguments`` adds to the command's own argument parser; ``run`` gets the parsed namespace.
    """

    help: str
    run: Callable[[Any, argparse.Namespace], Awaitable[int | None]]
    arguments: Callable[[argparse.ArgumentParser], None] = _no_arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Generic[S, A]):
    """A service: its settings, how its parts are opened, and what each role runs.

    ``wire`` opens pools and gives the ``App``; it is left after everything else has stopped. ``background`` runs in
    every role. ``checks`` are readiness: each raises when its part does not answer. ``routes`` let ``openapi`` work
    without settings.
    """

    name: str
    settings: type[S]
    wire: Callable[[S], AbstractAsyncContextManager[A]]
    http: Callable[[A], web.Application] | None = None
    routes: Sequence[Routes] = ()
    consumers: Callable[[A], Sequence[Runner]] = no_runners
    relays: Callable[[A], Sequence[Runner]] = no_runners
    jobs: Callable[[A], Sequence[Runner]] = no_runners
    background: Callable[[A], Sequence[Runner]] = no_runners
    migrations: Path | None = None
    commands: Mapping[str, Command] = field(default_factory=dict)
    checks: Callable[[A], Mapping[str, Check]] = _no_checks
