"""Reports to moderation: open, then upheld or dismissed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from kernel.errors import DomainError, Kind

# What is shown beside a reported message, on either side.
NEIGHBOURS: Final = 2
# Moderators read what was reported, also where they deleted it for themselves as somebody who is in the dialog.
NOBODY: Final = UUID(int=0)


class ReportNotFoundError(DomainError):
    code, kind = "messaging.report.not_found", Kind.NOT_FOUND
    title = "There is no such report, or it is decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``seq``: of a message; None: ``user_id``, who is or was in the dialog, or the dialog as a whole."""

    report_id: UUID
    reporter_id: UUID
    dialog_id: UUID
    seq: int | None
    user_id: UUID | None
    reason: str
    detail: str
    status: str = "open"
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReportedPlace:
    """Where an open report points. ``oldest_seq``: of the dialog; what is below is deleted."""

    dialog_id: UUID
    seq: int | None
    oldest_seq: int
