"""``python -m notification http | consume | relay | jobs | migrate | all | dead-letters | …``; ``--help`` says more."""

from __future__ import annotations

from chassis.run import main
from notification.entrypoints.app import ROUTES
from notification.entrypoints.consumers import subscriptions
from notification.entrypoints.roles import jobs
from notification.settings import NotificationSettings
from notification.wiring import wire
from operations import make_service

SERVICE = make_service(settings=NotificationSettings, wire=wire, routes=ROUTES, handlers=subscriptions, jobs=jobs)

if __name__ == "__main__":
    main(SERVICE)
