"""``python -m orchestrator http | consume | relay | jobs | migrate | all | audit | dead-letters | replay``."""

from __future__ import annotations

from pathlib import Path

from chassis.run import Command, Service, main
from orchestrator.entrypoints.audit import audit_arguments, run_audit
from orchestrator.entrypoints.commands import (
    dead_letter_arguments,
    replay_arguments,
    run_dead_letters,
    run_replay,
)
from orchestrator.entrypoints.roles import ROUTES, background, checks, consumers, http, jobs, relays
from orchestrator.settings import OrchestratorSettings
from orchestrator.wiring import wire

SERVICE = Service(
    name="orchestrator",
    settings=OrchestratorSettings,
    wire=wire,
    http=http,
    routes=ROUTES,
    consumers=consumers,
    relays=relays,
    jobs=jobs,
    background=background,
    migrations=Path(__file__).parents[2] / "migrations",
    commands={
        "audit": Command("is every saga as it must be? exit code 1 when not", run_audit, audit_arguments),
        "dead-letters": Command("records that could not be handled", run_dead_letters, dead_letter_arguments),
        "replay": Command("publish again what was published", run_replay, replay_arguments),
    },
    checks=checks,
)

if __name__ == "__main__":
    main(SERVICE)
