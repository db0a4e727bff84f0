"""``python -m notification http | consume | relay | jobs | migrate | all | dead-letters | …``; ``--help`` says more."""

from __future__ import annotations

from pathlib import Path

from chassis.run import Service, main
from notification.entrypoints.app import ROUTES, make_web_app
from notification.entrypoints.cli import COMMANDS
from notification.entrypoints.roles import consumers, jobs
from notification.settings import NotificationSettings
from notification.wiring import NAME, wire
from operations import background, checks, relays

SERVICE = Service(
    name=NAME,
    settings=NotificationSettings,
    wire=wire,
    http=make_web_app,
    routes=ROUTES,
    checks=checks,
    consumers=consumers,
    relays=relays,
    jobs=jobs,
    background=background,
    migrations=Path(__file__).parents[2] / "migrations",
    commands=COMMANDS,
)

if __name__ == "__main__":
    main(SERVICE)
