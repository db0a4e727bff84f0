"""``python -m orchestrator http | consume | relay | jobs | migrate | all | audit | …``; ``--help`` says more."""

from __future__ import annotations

from pathlib import Path

from chassis.run import Service, main
from orchestrator.entrypoints.app import ROUTES, make_web_app
from orchestrator.entrypoints.roles import COMMANDS, background, checks, consumers, jobs, relays
from orchestrator.settings import OrchestratorSettings
from orchestrator.wiring import NAME, wire

SERVICE = Service(
    name=NAME,
    settings=OrchestratorSettings,
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
