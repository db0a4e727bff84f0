"""All routes of orchestrator: the operator API."""

from __future__ import annotations

from typing import Final

from orchestrator.entrypoints.routes import acts, sagas

ROUTES: Final = (sagas.routes, acts.routes)
