"""``python -m messaging http | consume | relay | jobs | migrate | all | audit | …``; ``--help`` says more."""

from __future__ import annotations

from chassis.run import main
from messaging.entrypoints.app import ROUTES, make_web_app
from messaging.entrypoints.cli import COMMANDS
from messaging.entrypoints.consumers import subscriptions
from messaging.entrypoints.roles import background, consumers, jobs
from messaging.settings import MessagingSettings
from messaging.wiring import wire
from operations import make_service

SERVICE = make_service(
    settings=MessagingSettings,
    wire=wire,
    routes=ROUTES,
    http=make_web_app,
    handlers=subscriptions,
    consumers=consumers,
    jobs=jobs,
    background=background,
    commands=COMMANDS,
)

if __name__ == "__main__":
    main(SERVICE)
