"""Writing to the streams of dialogs: their rows are locked, seqs allotted, everything written in one statement.

MSG-1 and MSG-2 hold because a seq is allotted only under the dialog's row lock, and written with the dialog's new
``last_seq`` in the same statement. Records for Kafka are written by that statement too. Frames are rendered here, so
that after the commit nothing has to be read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from eventing import Outbox
from eventing.outbox import INSERT_COLUMNS
from kernel.rows import columns_of, object_of, rows_affected
from messaging.core.adapters import document_reads
from messaging.core.adapters.events import Events
from messaging.core.adapters.message_reads import MessageRows
from messaging.core.adapters.unreadable_reads import permissions_of
from messaging.core.domain.dialog import Dialog, DialogNotFoundError
from messaging.core.domain.stream import NewChange, NewMessage, Position, StreamEvent
from messaging.core.usecases.ports import Row
from sealing import Sealer

DIALOG_COLUMNS: Final = (
    "dialog_id, workspace_id, kind, permissions, slow_mode_s, archived_at, members_max, member_count, last_seq, "
    "last_message_no, last_message_at, last_at, oldest_seq, history_from, is_public, join_approval, content_published, "
    "entity_type, entity_id, version"
)
_LOCK: Final = f"SELECT {DIALOG_COLUMNS} FROM dialog WHERE dialog_id = ANY($1) ORDER BY dialog_id FOR NO KEY UPDATE"
_OUTBOX_FROM: Final = 29
_OUTBOX: Final = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(INSERT_COLUMNS.values(), _OUTBOX_FROM))
_WRITE: Final = f"""
    WITH messages AS (
        INSERT INTO message (dialog_id, seq, created_at, workspace_id, message_no, sender_id, type, content,
                             client_message_id, reply_to_seq, thread_seq, forward, mentions)
        SELECT dialog_id, seq, created_at, workspace_id, message_no, sender_id, type, content, client_message_id,
               reply_to_seq, thread_seq, forward::jsonb, string_to_array(mentions, ' ')
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[],
                    $8::bytea[], $9::uuid[], $10::bigint[], $11::bigint[], $12::text[], $13::text[])
             AS t (dialog_id, seq, created_at, workspace_id, message_no, sender_id, type, content, client_message_id,
                   reply_to_seq, thread_seq, forward, mentions)
    ), sent AS (
        INSERT INTO sent_message (dialog_id, sender_id, client_message_id, seq, body_hash, created_at)
        SELECT dialog_id, sender_id, client_message_id, seq, body_hash, created_at
        FROM unnest($1::uuid[], $6::uuid[], $9::uuid[], $2::bigint[], $14::bytea[], $3::timestamptz[])
             AS t (dialog_id, sender_id, client_message_id, seq, body_hash, created_at)
        WHERE body_hash IS NOT NULL
    ), changes AS (
        INSERT INTO change (dialog_id, seq, created_at, workspace_id, type, actor_id, message_seq, payload)
        SELECT dialog_id, seq, created_at, workspace_id, type, actor_id, message_seq, payload::jsonb
        FROM unnest($15::uuid[], $16::bigint[], $17::timestamptz[], $18::uuid[], $19::text[], $20::uuid[],
                    $21::bigint[], $22::text[])
             AS t (dialog_id, seq, created_at, workspace_id, type, actor_id, message_seq, payload)
    ), records AS (
        INSERT INTO outbox ({", ".join(INSERT_COLUMNS)}) SELECT * FROM unnest({_OUTBOX})
    )
    UPDATE dialog SET last_seq = t.last_seq, last_message_no = t.last_message_no,
                      last_message_at = t.last_message_at, last_at = t.last_at
    FROM unnest($23::uuid[], $24::bigint[], $25::bigint[], $26::timestamptz[], $27::timestamptz[], $28::bigint[])
         AS t (dialog_id, last_seq, last_message_no, last_message_at, last_at, was_seq)
    WHERE dialog.dialog_id = t.dialog_id AND dialog.last_seq = t.was_seq
"""
_WRITE_MONTHS: Final = """
    INSERT INTO dialog_month (dialog_id, month, first_seq)
    SELECT dialog_id, date_trunc('month', at)::date, first_seq
    FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) AS t (dialog_id, at, first_seq)
    ON CONFLICT DO NOTHING
"""


class LostLockError(Exception):
    """A dialog moved on although it was locked here: a fault of the program, never of a client."""


@dataclass(slots=True)
class _Written:
    position: Position
    was_seq: int
    was_at: datetime


class Stream:
    """Bound to one transaction. ``flush`` right before the commit; then ``events`` are what to tell."""

    def __init__(self, conn: Connection[Any], outbox: Outbox, sealer: Sealer, now: datetime) -> None:
        self._conn = conn
        self._outbox = outbox
        self._sealer = sealer
        self.now = now
        self._dialogs: dict[UUID, Dialog] = {}
        self._written: dict[UUID, _Written] = {}
        self._messages: list[tuple[Any, ...]] = []
        self._changes: list[tuple[Any, ...]] = []
        self._mentions: list[tuple[UUID, str, int, UUID | None]] = []
        self.events: list[StreamEvent] = []
        self._about_messages: list[int] = []

    async def lock(self, dialog_id: UUID) -> Dialog:
        """The dialog, its row locked until the end of the transaction. Raises ``DialogNotFoundError``."""
        found = await self.lock_many([dialog_id])
        if dialog_id not in found:
            raise DialogNotFoundError
        return found[dialog_id]

    async def lock_many(self, dialog_ids: Iterable[UUID]) -> Mapping[UUID, Dialog]:
        """Those that exist, locked in one order for all writers."""
        wanted = [each for each in set(dialog_ids) if each not in self._dialogs]
        if wanted:
            for row in await self._conn.fetch(_LOCK, wanted):
                self._dialogs[row["dialog_id"]] = dialog_of(row)
        return self._dialogs

    def created(self, dialog: Dialog) -> None:
        """A dialog that this transaction has just inserted: nobody else can have it."""
        self._dialogs[dialog.dialog_id] = dialog

    async def ready(self, senders: Iterable[UUID | None]) -> None:
        """Load the keys that ``post`` will seal with."""
        await self._sealer.ready(senders)

    def encode(self, content: Mapping[str, Any]) -> bytes:
        """A message's content as it is sealed and counted: UTF-8 JSON."""
        return document_reads.to_json(content)

    def post(
        self, dialog: Dialog, message: NewMessage, extras: Mapping[str, Any] | None = None
    ) -> tuple[int, datetime]:
        """Append a message whose sender's key is loaded; returns its seq and time."""
        content = document_reads.to_json(message.content)
        sealed = self._sealer.encrypt(message.sender_id, content)  # before a seq is taken: it may be refused
        position = self._position_of(dialog)
        seq, message_no, at = position.allot_message(self.now)
        self._messages.append(
            (
                position.dialog_id,
                seq,
                at,
                position.workspace_id,
                message_no,
                message.sender_id,
                message.type,
                sealed,
                message.client_message_id,
                message.reply_to_seq,
                message.thread_seq,
                document_reads.to_json(message.forward).decode() if message.forward else None,
                " ".join(message.mentions),
                message.body_hash,
            )
        )
        self._mentions.extend((position.dialog_id, target, seq, message.sender_id) for target in message.mentions)
        document = document_reads.message_document(
            dialog_id=position.dialog_id,
            seq=seq,
            at=at,
            sender_id=message.sender_id,
            content=message.content,
            client_message_id=message.client_message_id,
            reply_to_seq=message.reply_to_seq,
            thread_seq=message.thread_seq,
            forward=message.forward,
            mentions=message.mentions,
            extras=extras,
        )
        text = document_reads.frame("message.new", position.dialog_id, seq, at, {"message": document})
        self.events.append(StreamEvent(position.dialog_id, seq, "message.new", text))
        Events(self._outbox).message_sent(position, message, seq=seq, at=at, content=content)
        return seq, at

    def change(
        self,
        dialog: Dialog,
        kind: str,
        *,
        actor_id: UUID | None = None,
        message_seq: int | None = None,
        payload: Mapping[str, Any] | None = None,
        shown: Mapping[str, Any] | None = None,
        subject_id: UUID | None = None,
        ended: bool = False,
    ) -> int:
        """Append a change that is not a message; returns its seq.

        ``payload`` is stored; ``shown`` is what the frame has beside it (state that a replay reads anew).
        """
        position = self._position_of(dialog)
        seq, at = position.allot(self.now)
        dialog_id, stored = position.dialog_id, dict(payload or {})
        kept = document_reads.to_json(stored).decode()
        self._changes.append((dialog_id, seq, at, position.workspace_id, kind, actor_id, message_seq, kept))
        about = {}
        if message_seq is not None:
            about["message_seq"] = message_seq
            self._about_messages.append(len(self.events))
        body = {"by": actor_id, **about, **stored, **(shown or {})}
        text = document_reads.frame(kind, dialog_id, seq, at, body)
        self.events.append(StreamEvent(dialog_id, seq, kind, text, subject_id, ended, message_seq))
        change = NewChange(type=kind, actor_id=actor_id, message_seq=message_seq, payload=stored)
        Events(self._outbox).changed(position, change, seq, at)
        return seq

    async def flush(self) -> None:
        """Write everything. The outbox's records go in the same statement."""
        if not self._written:
            return
        written = list(self._written.values())
        arguments = [
            *_columns(self._messages, 14),
            *_columns(self._changes, 8),
            *columns_of(written, "position.dialog_id", "position.last_seq", "position.last_message_no"),
            *columns_of(written, "position.last_message_at", "position.last_at", "was_seq"),
        ]
        status = await self._conn.execute(_WRITE, *arguments, *self._outbox.take())
        if rows_affected(status) != len(written):
            raise LostLockError(status)
        await self._write_mentions()
        await self._write_months(written)
        await self._look_from_whom_hidden()
        self._messages.clear()
        self._changes.clear()
        self._written.clear()

    async def _write_mentions(self) -> None:
        if not self._mentions:
            return
        await self._conn.execute(
            "INSERT INTO mention (dialog_id, target, seq, sender_id) SELECT * FROM "
            "unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[])",
            *_columns([each for each in self._mentions if each[3] is not None], 4),
        )
        self._mentions.clear()

    async def _write_months(self, written: list[_Written]) -> None:
        """Where a dialog enters a month: readers find the partition of a seq by it."""
        entering = [
            (each.position.dialog_id, each.position.last_at, each.was_seq + 1)
            for each in written
            if each.was_seq == 0
            or (each.was_at.year, each.was_at.month) != (each.position.last_at.year, each.position.last_at.month)
        ]
        if entering:
            await self._conn.execute(_WRITE_MONTHS, *_columns(entering, 3))

    async def _look_from_whom_hidden(self) -> None:
        """Of events about earlier messages; under the dialog's lock, which who deletes for themselves takes too."""
        about = [(number, self.events[number]) for number in self._about_messages]
        found = await MessageRows(self._conn).hidden_from(
            [(event.dialog_id, event.message_seq) for _, event in about if event.message_seq is not None]
        )
        for number, event in about:
            if event.message_seq is not None and (people := found.get((event.dialog_id, event.message_seq))):
                self.events[number] = replace(event, hidden_from=people)
        self._about_messages.clear()

    def _position_of(self, dialog: Dialog) -> Position:
        position = dialog.position
        if position.dialog_id not in self._written:
            self._written[position.dialog_id] = _Written(position, position.last_seq, position.last_at)
        return position


def dialog_of(row: Row) -> Dialog:
    """A row with ``DIALOG_COLUMNS`` as the domain knows it."""
    return object_of(
        Dialog,
        row,
        position=object_of(Position, row),
        permissions=permissions_of(row["permissions"], dialog_id=row["dialog_id"]),
        closed=row["archived_at"] is not None,
    )


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
