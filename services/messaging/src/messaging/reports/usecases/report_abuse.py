"""Somebody reports a message, a person or a dialog to moderation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from kernel.ids import uuid7
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.message import MessageNotFoundError
from messaging.reports.domain.report import Report
from messaging.reports.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAbuse:
    """``seq`` None: the person, who is or was in the dialog, or the dialog as a whole."""

    reporter_id: UUID
    dialog_id: UUID
    seq: int | None
    user_id: UUID | None
    reason: str
    detail: str


async def report_abuse(command: ReportAbuse, tx: Tx) -> UUID:
    """The report's id; what is reported again while it is open is the same report.

    What they deleted for themselves is not there to be reported; its writer is.
    """
    user_id = await _reported_person(command, tx)
    report = Report(report_id=uuid7(), created_at=tx.now, **{**asdict(command), "user_id": user_id})
    return await tx.reports.add_if_new(report)


async def _reported_person(command: ReportAbuse, tx: Tx) -> UUID | None:
    """Who wrote the message, or who was named. Raises what is not there for the reporter."""
    watches = await tx.streams.watched_by(command.reporter_id, [command.dialog_id])
    if not watches:
        raise DialogNotFoundError
    if command.seq is not None:
        from_seq = watches[0].from_seq
        row = await tx.messages.message_for(command.reporter_id, command.dialog_id, command.seq, from_seq=from_seq)
        if row is None:
            raise MessageNotFoundError
        sender_id: UUID | None = row["sender_id"]
        return sender_id
    if command.user_id is not None and await tx.dialogs.find_member(command.dialog_id, command.user_id) is None:
        raise MemberNotFoundError
    return command.user_id
