"""Whether files could be stored now: an operator sees it before a person does."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

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
        while not stop.is_set():
            with self.steps.step():
                before, self._problem = self._problem, await self._asked()
            if self._problem != before:
                log.info("objects.watched", problem=self._problem)
            try:
                await asyncio.wait_for(stop.wait(), self._every_s)
            except TimeoutError:
                continue

    async def _asked(self) -> str | None:
        try:
            await self._objects.check()
        except AttachmentStoreUnavailableError as error:
            return error.reason
        return None
