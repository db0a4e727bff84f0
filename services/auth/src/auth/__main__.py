"""``python -m auth http | relay | jobs | migrate | all | grant-role | rotate-keys | …``; ``--help`` says more."""

from __future__ import annotations

from pathlib import Path

from auth.entrypoints.app import ROUTES, make_web_app
from auth.entrypoints.cli import COMMANDS
from auth.entrypoints.roles import background, jobs
from auth.settings import AuthSettings
from auth.wiring import NAME, wire
from chassis.run import Service, main
from operations import checks, relays

SERVICE = Service(
    name=NAME,
    settings=AuthSettings,
    wire=wire,
    http=make_web_app,
    routes=ROUTES,
    relays=relays,
    jobs=jobs,
    background=background,
    migrations=Path(__file__).parents[2] / "migrations",
    commands=COMMANDS,
    checks=checks,
)

if __name__ == "__main__":
    main(SERVICE)
