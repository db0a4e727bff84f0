"""Reports as rows, and who read what they are about."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import rows_affected
from messaging.reports.domain.report import Report, ReportedPlace

_COLUMNS: Final = "report_id, reporter_id, dialog_id, seq, user_id, reason, detail, status, created_at"
_SAME: Final = """
    SELECT report_id FROM report WHERE reporter_id = $1 AND dialog_id = $2 AND seq IS NOT DISTINCT FROM $3
        AND user_id IS NOT DISTINCT FROM $4 AND status = 'open'
"""
_ADD: Final = f"INSERT INTO report ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_OPEN: Final = f"SELECT {_COLUMNS} FROM report WHERE status = 'open' ORDER BY created_at, report_id LIMIT $1"
_PLACE: Final = """
    SELECT r.dialog_id, r.seq, d.oldest_seq FROM report r JOIN dialog d USING (dialog_id)
    WHERE report_id = $1 AND status = 'open'
"""
_RECORD_READ: Final = """
    INSERT INTO report_read (report_id, read_by, read_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
_DECIDE: Final = """
    UPDATE report SET status = $2, decided_by = $3, decided_at = $4 WHERE report_id = $1 AND status = 'open'
"""


class ReportStore(OnConnection):
    async def add_if_new(self, new: Report) -> UUID:
        """Its id, or that of the same one that is open. One of two at the same time finds the other."""
        same = (new.reporter_id, new.dialog_id, new.seq, new.user_id)
        await self._conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 21))", str(same))
        known: UUID | None = await self._conn.fetchval(_SAME, *same)
        if known is not None:
            return known
        await self._conn.execute(_ADD, new.report_id, *same, new.reason, new.detail, new.status, new.created_at)
        return new.report_id

    async def open_reports(self, limit: int) -> list[Report]:
        """The oldest first."""
        return [Report(**dict(row)) for row in await self._conn.fetch(_OPEN, limit)]

    async def reported_place(self, report_id: UUID) -> ReportedPlace | None:
        """None: there is no such report that is open."""
        row = await self._conn.fetchrow(_PLACE, report_id)
        return None if row is None else ReportedPlace(**dict(row))

    async def record_read(self, report_id: UUID, by: UUID, now: datetime) -> None:
        await self._conn.execute(_RECORD_READ, report_id, by, now)

    async def decide(self, report_id: UUID, status: str, by: UUID, now: datetime) -> bool:
        """False when it is not open."""
        return rows_affected(await self._conn.execute(_DECIDE, report_id, status, by, now)) > 0
