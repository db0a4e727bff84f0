"""``python -m messaging http | consume | relay | jobs | migrate | all | dead-letters | …``; ``--help`` says more."""

from __future__ import annotations

from pathlib import Path

from chassis.run import Service, main
from messaging.entrypoints.roles import COMMANDS, ROUTES, background, consumers, http, jobs
from messaging.settings import MessagingSettings
from messaging.wiring import wire
from operations import checks, relays

SERVICE = Service(
    name="messaging",
    settings=MessagingSettings,
    wire=wire,
    http=http,
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
