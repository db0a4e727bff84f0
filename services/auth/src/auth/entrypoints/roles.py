"""What runs in which role: every process keeps its copy of the signing keys fresh, one ``jobs`` role does the rest."""

from __future__ import annotations

from auth.entrypoints.jobs import periodic_jobs
from auth.wiring import App
from chassis.run import Periodic, Runner
from operations import background as operated
from operations import housekeeping


def background(app: App) -> list[Runner]:
    """In every role."""
    return [*operated(app), Periodic("signing-keys-copy", 10.0, app.load_keys)]


def jobs(app: App) -> list[Runner]:
    return [*periodic_jobs(app), *housekeeping(app, idempotency_keys=False)]
