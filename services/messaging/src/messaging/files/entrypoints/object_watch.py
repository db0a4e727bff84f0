"""Whether files could be stored now: an operator sees it before a person does."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from kernel.backoff import BackoffPolicy
from kernel.loops import repeat
from kernel.steps import Steps
from messaging.core.domain.attachment import AttachmentStoreUnavailableError
from messaging.files.adapters.object_store import ObjectStore

EVERY_S: Final = 15.0
STEP_S: Final = 60.0
log = structlog.get_logger(__name__)


class ObjectWatch:
    """Readiness names the store, and stays 200: people can write to each other without files."""

    name: Final = "object-store"
    critical: Final = False

    def __init__(self, objects: ObjectStore, every_s: float = EVERY_S) -> None:
        self._objects, self._every_s = objects, every_s
        self._problem: str | None = "not asked yet"
        self.steps = Steps(STEP_S)

    def problem(self) -> str | None:
        return self._problem

    async def run(self, stop: asyncio.Event) -> None:
        again = BackoffPolicy.constant(self._every_s)
        await repeat(self._ask, stop, steps=self.steps, again=again, failed=self._failed)

    async def _ask(self) -> float:
        await self._objects.check()
        self._note(None)
        return self._every_s

    def _failed(self, error: Exception) -> None:
        self._note(error.reason if isinstance(error, AttachmentStoreUnavailableError) else type(error).__name__)

    def _note(self, problem: str | None) -> None:
        if problem != self._problem:
            log.info("objects.watched", problem=problem)
        self._problem = problem
