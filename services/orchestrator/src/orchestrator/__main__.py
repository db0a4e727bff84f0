"""``python -m orchestrator http | consume | relay | jobs | migrate | all | audit | …``; ``--help`` says more."""

from __future__ import annotations

from chassis.run import main
from operations import make_service
from orchestrator.entrypoints.app import ROUTES
from orchestrator.entrypoints.cli import COMMANDS
from orchestrator.entrypoints.consumers import handlers
from orchestrator.entrypoints.roles import jobs
from orchestrator.settings import OrchestratorSettings
from orchestrator.wiring import wire

SERVICE = make_service(
    settings=OrchestratorSettings, wire=wire, routes=ROUTES, handlers=handlers, jobs=jobs, commands=COMMANDS
)

if __name__ == "__main__":
    main(SERVICE)
