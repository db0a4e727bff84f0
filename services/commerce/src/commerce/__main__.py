"""``python -m commerce http | consume | relay | jobs | migrate | all | audit | …``; ``--help`` says more."""

from __future__ import annotations

from chassis.run import main
from commerce.entrypoints.app import ROUTES
from commerce.entrypoints.cli import COMMANDS
from commerce.entrypoints.consumers import subscriptions
from commerce.entrypoints.roles import jobs
from commerce.settings import CommerceSettings
from commerce.wiring import wire
from operations import make_service

SERVICE = make_service(
    settings=CommerceSettings, wire=wire, routes=ROUTES, handlers=subscriptions, jobs=jobs, commands=COMMANDS
)

if __name__ == "__main__":
    main(SERVICE)
