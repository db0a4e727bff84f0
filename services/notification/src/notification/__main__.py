"""``python -m notification http | consume | relay | jobs | migrate | all | dead-letters | …``; ``--help`` says more."""

from __future__ import annotations

from pathlib import Path

from chassis.run import main
from notification.entrypoints.app import ROUTES
from notification.entrypoints.consumers import subscriptions
from notification.entrypoints.roles import jobs
from notification.settings import NotificationSettings
from notification.wiring import NAME, wire
from operations import make_service

SERVICE = make_service(
    name=NAME,
    settings=NotificationSettings,
    wire=wire,
    migrations=Path(__file__).parents[2] / "migrations",
    routes=ROUTES,
    handlers=subscriptions,
    jobs=jobs,
)

if __name__ == "__main__":
    main(SERVICE)
