"""What runs in which role: every process keeps its copy of the signing keys fresh, one ``jobs`` role does the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from auth.entrypoints.app import ROUTES, http
from auth.entrypoints.cli import COMMANDS
from auth.entrypoints.jobs import periodic_jobs
from auth.settings import AuthSettings
from auth.wiring import NAME, App, wire
from chassis.run import Periodic, Runner, Service
from operations import background as operated
from operations import checks, housekeeping, relays


def background(app: App) -> list[Runner]:
    """In every role."""
    return [*operated(app), Periodic("signing-keys-copy", 10.0, app.load_keys)]


def jobs(app: App) -> list[Runner]:
    return [*periodic_jobs(app), *housekeeping(app, idempotency_keys=False)]


SERVICE: Final = Service(
    name=NAME,
    settings=AuthSettings,
    wire=wire,
    http=http,
    routes=ROUTES,
    relays=relays,
    jobs=jobs,
    background=background,
    migrations=Path(__file__).parents[3] / "migrations",
    commands=COMMANDS,
    checks=checks,
)
