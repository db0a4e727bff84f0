"""A moderator reads what was reported, and that they did is recorded in the same transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from messaging.reports.domain.report import NEIGHBOURS, NOBODY, ReportNotFoundError
from messaging.reports.usecases.ports import Tx


async def read_reported(report_id: UUID, by: UUID, tx: Tx) -> tuple[int | None, list[dict[str, Any]]]:
    """Of an open report: its seq, and the message with its neighbours, oldest first.

    A report about a person or a dialog shows no messages. Raises ``ReportNotFoundError``.
    """
    place = await tx.reports.reported_place(report_id)
    if place is None:
        raise ReportNotFoundError
    await tx.reports.record_read(report_id, by, tx.now)
    if place.seq is None:
        return None, []
    before = await tx.messages.messages_before(
        place.dialog_id, before_seq=place.seq, from_seq=place.oldest_seq, viewer_id=NOBODY, limit=NEIGHBOURS
    )
    after = await tx.messages.messages_after(
        place.dialog_id, after_seq=place.seq - 1, from_seq=place.oldest_seq, viewer_id=NOBODY, limit=NEIGHBOURS + 1
    )
    return place.seq, await tx.messages.documents([*reversed(before), *after])
