"""``python -m auth http | relay | jobs | migrate | all | grant-role | rotate-keys | …``; ``--help`` says more."""

from __future__ import annotations

from auth.entrypoints.app import ROUTES
from auth.entrypoints.cli import COMMANDS
from auth.entrypoints.roles import background, jobs
from auth.settings import AuthSettings
from auth.wiring import wire
from chassis.run import main
from operations import make_service

SERVICE = make_service(
    settings=AuthSettings, wire=wire, routes=ROUTES, jobs=jobs, background=background, commands=COMMANDS
)

if __name__ == "__main__":
    main(SERVICE)
