"""``python -m payment http | consume | relay | jobs | migrate | all | audit | …``; ``--help`` says more."""

from __future__ import annotations

from chassis.run import main
from operations import make_service
from payment.entrypoints.app import ROUTES, checks, make_web_app
from payment.entrypoints.cli import COMMANDS
from payment.entrypoints.consumers import subscriptions
from payment.entrypoints.roles import jobs
from payment.settings import PaymentSettings
from payment.wiring import wire

SERVICE = make_service(
    settings=PaymentSettings,
    wire=wire,
    routes=ROUTES,
    http=make_web_app,
    checks=checks,
    handlers=subscriptions,
    jobs=jobs,
    commands=COMMANDS,
)

if __name__ == "__main__":
    main(SERVICE)
