"""``python -m payment http | consume | relay | jobs | migrate | all | audit | dead-letters | parked | replay``."""

from __future__ import annotations

from pathlib import Path

from chassis.run import Service, main
from payment.entrypoints.app import ROUTES, checks, make_web_app
from payment.entrypoints.cli import COMMANDS
from payment.entrypoints.roles import background, consumers, jobs, relays
from payment.settings import PaymentSettings
from payment.wiring import NAME, wire

SERVICE = Service(
    name=NAME,
    settings=PaymentSettings,
    wire=wire,
    http=make_web_app,
    routes=ROUTES,
    consumers=consumers,
    relays=relays,
    jobs=jobs,
    background=background,
    migrations=Path(__file__).parents[2] / "migrations",
    commands=COMMANDS,
    checks=checks,
)

if __name__ == "__main__":
    main(SERVICE)
