"""What the use cases of reports need from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from messaging.core.usecases import ports as core
from messaging.reports.domain.report import Report, ReportedPlace


class ReportStore(Protocol):
    async def add_if_new(self, new: Report) -> UUID: ...
    async def reported_place(self, report_id: UUID) -> ReportedPlace | None: ...
    async def record_read(self, report_id: UUID, by: UUID, now: datetime) -> None: ...
    async def decide(self, report_id: UUID, status: str, by: UUID, now: datetime) -> bool: ...


class Tx(core.Tx, Protocol):
    @property
    def reports(self) -> ReportStore: ...
