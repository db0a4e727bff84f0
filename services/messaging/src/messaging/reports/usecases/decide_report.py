"""A moderator decides a report."""

from __future__ import annotations

from uuid import UUID

from messaging.reports.domain.report import ReportNotFoundError
from messaging.reports.usecases.ports import Tx


async def decide_report(report_id: UUID, by: UUID, status: str, tx: Tx) -> None:
    """``upheld`` or ``dismissed``. Raises ``ReportNotFoundError`` for one that is decided."""
    if not await tx.reports.decide(report_id, status, by, tx.now):
        raise ReportNotFoundError
