"""The ports of reports in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.core.domain.stream import Watch
from messaging.reports.domain.report import Report, ReportedPlace
from messaging_testing.fakes_shared import DIALOG, NOW, OTHER, FakeDialogs, FakeTransaction

LAST_SEQ = 9


@dataclass
class FakeReports:
    by_id: dict[UUID, Report] = field(default_factory=dict)
    reads: list[tuple[UUID, UUID]] = field(default_factory=list)

    async def add_if_new(self, new: Report) -> UUID:
        for each in self.by_id.values():
            same = replace(each, report_id=new.report_id, reason=new.reason, detail=new.detail) == new
            if same and each.status == "open":
                return each.report_id
        self.by_id[new.report_id] = new
        return new.report_id

    async def reported_place(self, report_id: UUID) -> ReportedPlace | None:
        found = self.by_id.get(report_id)
        if found is None or found.status != "open":
            return None
        return ReportedPlace(found.dialog_id, found.seq, 1)

    async def record_read(self, report_id: UUID, by: UUID, now: datetime) -> None:
        del now
        self.reads.append((report_id, by))

    async def decide(self, report_id: UUID, status: str, by: UUID, now: datetime) -> bool:
        del by, now
        found = self.by_id.get(report_id)
        if found is None or found.status != "open":
            return False
        self.by_id[report_id] = replace(found, status=status)
        return True


@dataclass
class FakeStreams:
    """``watched``: whether the dialog is there for those who ask."""

    watched: bool = True

    async def watched_by(self, user_id: UUID, dialog_ids: Sequence[UUID] | None = None) -> list[Watch]:
        del user_id, dialog_ids
        watch = Watch(DIALOG, kind="group", from_seq=2, last_seq=LAST_SEQ, oldest_seq=1, member_count=2)
        return [watch] if self.watched else []


@dataclass
class FakeMessages:
    """Messages of ``OTHER`` from 1 to ``LAST_SEQ``."""

    async def message_for(self, viewer_id: UUID, dialog_id: UUID, seq: int, *, from_seq: int) -> Any:
        del viewer_id, dialog_id
        return {"seq": seq, "sender_id": OTHER} if from_seq <= seq <= LAST_SEQ else None

    async def messages_before(self, dialog_id: UUID, *, before_seq: int, from_seq: int, limit: int, **_: Any) -> Any:
        del dialog_id
        return [{"seq": seq} for seq in range(before_seq - 1, from_seq - 1, -1)][:limit]

    async def messages_after(self, dialog_id: UUID, *, after_seq: int, from_seq: int, limit: int, **_: Any) -> Any:
        del dialog_id
        return [{"seq": seq} for seq in range(max(after_seq + 1, from_seq), LAST_SEQ + 1)][:limit]

    async def documents(self, rows: Sequence[Any]) -> list[Any]:
        return list(rows)


@dataclass
class FakeReportsTx(FakeTransaction):
    now: datetime = NOW
    reports: FakeReports = field(default_factory=FakeReports)
    dialogs: FakeDialogs = field(default_factory=FakeDialogs)
    streams: FakeStreams = field(default_factory=FakeStreams)
    messages: FakeMessages = field(default_factory=FakeMessages)
