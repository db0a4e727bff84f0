"""Somebody reports a message or a person to moderation; a moderator decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.usecases.ports import Tx

# What is shown beside a reported message, on either side.
NEIGHBOURS: Final = 2
# Moderators read what was reported, also where they deleted it for themselves as somebody who is in the dialog.
NOBODY: Final = UUID(int=0)


class ReportNotFoundError(DomainError):
    code: ClassVar[str] = "messaging.report.not_found"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "There is no such report, or it is decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``seq`` None: the person, who is or was in the dialog, or the dialog as a whole."""

    reporter_id: UUID
    dialog_id: UUID
    seq: int | None
    user_id: UUID | None
    reason: str
    detail: str


async def report(command: Report, tx: Tx) -> UUID:
    """The report's id; what is reported again while it is open is the same report.

    What they deleted for themselves is not there to be reported; its writer is.
    """
    watches = await tx.streams.watched_by(command.reporter_id, [command.dialog_id])
    if not watches:
        raise DialogNotFoundError
    user_id, from_seq = command.user_id, watches[0].from_seq
    if command.seq is not None:
        row = await tx.messages.message_for(command.reporter_id, command.dialog_id, command.seq, from_seq=from_seq)
        if row is None:
            raise MessageNotFoundError
        user_id = row["sender_id"]
    elif user_id is not None and await tx.dialogs.find_member(command.dialog_id, user_id) is None:
        raise MemberNotFoundError
    same = (command.reporter_id, command.dialog_id, command.seq, user_id)
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 21))", str(same))
    known: UUID | None = await tx.conn.fetchval(
        "SELECT report_id FROM report WHERE reporter_id = $1 AND dialog_id = $2 AND seq IS NOT DISTINCT FROM $3 "
        "AND user_id IS NOT DISTINCT FROM $4 AND status = 'open'",
        *same,
    )
    if known is not None:
        return known
    report_id = uuid7()
    await tx.conn.execute(
        "INSERT INTO report (report_id, reporter_id, dialog_id, seq, user_id, reason, detail, status, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8)",
        *(report_id, *same, command.reason, command.detail, tx.now),
    )
    return report_id


async def open_reports(tx: Tx, limit: int) -> list[Mapping[str, Any]]:
    """The oldest first."""
    return list(
        await tx.conn.fetch(
            "SELECT report_id, reporter_id, dialog_id, seq, user_id, reason, detail, status, created_at FROM report "
            "WHERE status = 'open' ORDER BY created_at, report_id LIMIT $1",
            limit,
        )
    )


async def read_reported(report_id: UUID, by: UUID, tx: Tx) -> tuple[int | None, list[dict[str, Any]]]:
    """What an open report is about, for a moderator: its seq, and the message with its neighbours, oldest first.

    Who read it is recorded in the same transaction. A report about a person or a dialog shows no messages.
    """
    found = await tx.conn.fetchrow(
        "SELECT r.dialog_id, r.seq, d.oldest_seq FROM report r JOIN dialog d USING (dialog_id) "
        "WHERE report_id = $1 AND status = 'open'",
        report_id,
    )
    if found is None:
        raise ReportNotFoundError
    await tx.conn.execute(
        "INSERT INTO report_read (report_id, read_by, read_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        *(report_id, by, tx.now),
    )
    if found["seq"] is None:
        return None, []
    dialog_id, seq = found["dialog_id"], found["seq"]
    place = {"from_seq": found["oldest_seq"], "viewer_id": NOBODY}
    before = await tx.messages.messages_before(dialog_id, before_seq=seq, limit=NEIGHBOURS, **place)
    after = await tx.messages.messages_after(dialog_id, after_seq=seq - 1, limit=NEIGHBOURS + 1, **place)
    return seq, await tx.messages.documents([*reversed(before), *after])


async def decide_report(report_id: UUID, by: UUID, status: str, tx: Tx) -> None:
    """``upheld`` or ``dismissed``."""
    done = await tx.conn.execute(
        "UPDATE report SET status = $2, decided_by = $3, decided_at = $4 WHERE report_id = $1 AND status = 'open'",
        *(report_id, status, by, tx.now),
    )
    if done.endswith(" 0"):
        raise ReportNotFoundError
