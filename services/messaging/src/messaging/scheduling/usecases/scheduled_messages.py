"""Messages that are sent later: kept sealed, sent once, with the reason kept when they are refused then.

MSG-12: a message is stored and noted as sent in one commit, and only while it waits: who has called it back is sure
that nobody gets it. Sent again by another process it is found sent: the schedule's id is the ``client_message_id``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg

from kernel.errors import DomainError, Kind
from kernel.reasons import Reason
from messaging.core.adapters import document_reads
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.adapters.stream_store import DIALOG_COLUMNS, dialog_of
from messaging.core.domain.allowance import Allowance
from messaging.core.domain.dialog import BlockedError, DialogNotFoundError, require_present
from messaging.core.domain.message import ClientMessageIdReusedError, ScheduledNotFoundError, SendMessage, Sent
from messaging.core.domain.permissions import Act
from messaging.core.usecases.announce_scheduled import announce_scheduled
from messaging.core.usecases.ports import Tx
from sealing import PersonKeys, opened_json

AHEAD_MIN: Final = timedelta(seconds=5)
AHEAD_MAX: Final = timedelta(days=365)
PENDING_MAX: Final = 100
RETRY_FIRST: Final = timedelta(seconds=1)
RETRY_MAX: Final = timedelta(minutes=5)
FAULTS_MAX: Final = 12
_COLUMNS: Final = "scheduled_id, user_id, dialog_id, send_at, body, status, failure_code, seq, created_at"


class FailureCode(Reason):
    """Why it was not sent, where no rule refused it."""

    UNREADABLE = "messaging.scheduled.unreadable"  # it cannot be opened with the keys that are here
    FAILED = "messaging.scheduled.failed"


class ScheduleTimeInvalidError(DomainError):
    code: ClassVar[str] = "messaging.scheduled.time_invalid"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "A message is scheduled for between 5 seconds and a year from now"


class TooManyScheduledError(DomainError):
    code: ClassVar[str] = "messaging.scheduled.too_many"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = f"A person has at most {PENDING_MAX} scheduled messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """``body``: as a client would send it, with the schedule's id as ``client_message_id``."""

    scheduled_id: UUID
    user_id: UUID
    dialog_id: UUID
    send_at: datetime
    body: Mapping[str, Any] | None
    status: str
    failure_code: str
    seq: int | None
    created_at: datetime
    attempts: int = 0


async def schedule(command: SendMessage, send_at: datetime, body: Mapping[str, Any], tx: Tx) -> Scheduled:
    """The same under the same id again answers what is kept; ``body`` is what the command was made of."""
    scheduled_id, user_id, dialog_id = command.client_message_id, command.sender_id, command.dialog_id
    await tx.sealer.ready([user_id])
    kept = await _kept(scheduled_id, tx)
    if kept is None:
        await _require_sendable(command, send_at, tx)
        made = await tx.conn.execute(
            f"INSERT INTO scheduled_message ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, 'pending', '', NULL, $6) "
            "ON CONFLICT (scheduled_id) DO NOTHING",
            *(
                scheduled_id,
                user_id,
                dialog_id,
                send_at,
                tx.sealer.encrypt(user_id, document_reads.to_json(body)),
                tx.now,
            ),
        )
        if made == "INSERT 0 1":
            announce_scheduled(user_id, dialog_id, tx, scheduled_id=scheduled_id, status="pending", send_at=send_at)
        kept = await _kept(scheduled_id, tx)
    if kept is None or kept["user_id"] != user_id:
        raise ScheduledNotFoundError
    found = _of(kept, tx.sealer)
    same = (found.dialog_id, found.send_at) == (dialog_id, send_at) and found.body in (None, body)
    if not same or found.status == "cancelled":
        raise ClientMessageIdReusedError(pointer="/message/client_message_id")
    return found


async def _kept(scheduled_id: UUID, tx: Tx) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = await tx.conn.fetchrow(
        f"SELECT {_COLUMNS} FROM scheduled_message WHERE scheduled_id = $1", scheduled_id
    )
    return row


async def _require_sendable(command: SendMessage, send_at: datetime, tx: Tx) -> None:
    """What would refuse it then as far as can be told now: a mute may be over by then, a closed dialog stays closed."""
    row = await tx.conn.fetchrow(f"SELECT {DIALOG_COLUMNS} FROM dialog WHERE dialog_id = $1", command.dialog_id)
    if row is None:
        raise DialogNotFoundError
    dialog = dialog_of(row)
    [facts] = await tx.sends.read_facts([command], {dialog.dialog_id: dialog})
    member = require_present(facts.member)
    if not AHEAD_MIN <= send_at - tx.now <= AHEAD_MAX:
        raise ScheduleTimeInvalidError(pointer="/send_at")
    # What a forward says is read when it is sent.
    dialog.require(member, Act.SEND if command.forward_from else command.act, send_at)
    if facts.blocked:
        raise BlockedError
    await tx.allowances.hold(command.sender_id, Allowance.SCHEDULED)
    others = await tx.conn.fetchval(
        "SELECT count(*) FROM scheduled_message WHERE user_id = $1 AND status = 'pending' AND scheduled_id <> $2",
        *(command.sender_id, command.client_message_id),
    )
    if others >= PENDING_MAX:
        raise TooManyScheduledError


async def list_scheduled(conn: asyncpg.Connection[Any], keys: PersonKeys, user_id: UUID) -> list[Scheduled]:
    """Those that wait, and those that failed within a week; the next first."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM scheduled_message WHERE user_id = $1 AND (status = 'pending' "
        "OR (status = 'failed' AND send_at > now() - interval '7 days')) ORDER BY send_at LIMIT 200",
        user_id,
    )
    await keys.load(conn, [user_id])
    return [_of(row, keys) for row in rows]


async def cancel_scheduled(scheduled_id: UUID, user_id: UUID, tx: Tx) -> None:
    dialog_id = await tx.conn.fetchval(
        "UPDATE scheduled_message SET status = 'cancelled', body = '' "
        "WHERE scheduled_id = $1 AND user_id = $2 AND status = 'pending' RETURNING dialog_id",
        *(scheduled_id, user_id),
    )
    if dialog_id is None:
        raise ScheduledNotFoundError
    announce_scheduled(user_id, dialog_id, tx, scheduled_id=scheduled_id, status="cancelled")


async def take_due(conn: asyncpg.Connection[Any], keys: PersonKeys, now: datetime, limit: int) -> Sequence[Scheduled]:
    """What is due, of people who are still here; two processes may see the same one, and send it once all the same."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS}, attempts FROM scheduled_message s WHERE status = 'pending' AND send_at <= $1 "
        f"AND NOT EXISTS (SELECT FROM account a WHERE a.user_id = s.user_id AND {HAS_ENDED}) "
        "AND coalesce(next_attempt_at, send_at) <= $1 ORDER BY coalesce(next_attempt_at, send_at) LIMIT $2",
        *(now, limit),
    )
    await keys.load(conn, {row["user_id"] for row in rows})
    return [_of(row, keys) for row in rows]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scheduled message. Neither seq nor failure: it is tried again, not before ``retry_after_s``."""

    seq: int | None = None
    failure_code: str = ""
    retry_after_s: float = 0.0

    @property
    def final(self) -> bool:
        return self.seq is not None or bool(self.failure_code)


async def send_scheduled(due: Scheduled, send: Callable[[Scheduled], Awaitable[Sent]]) -> Outcome:
    """Send one. Sending it again after a crash finds it sent."""
    if due.body is None:
        return Outcome(failure_code=FailureCode.UNREADABLE)
    try:
        return Outcome(seq=(await send(due)).seq)
    except DomainError as refusal:
        if refusal.kind in {Kind.UNAVAILABLE, Kind.RATE_LIMITED}:
            return Outcome(retry_after_s=refusal.retry_after_s or 0.0)
        return Outcome(failure_code=refusal.code)


def after_fault(due: Scheduled) -> Outcome:
    """Sending broke with something that is no refusal: again later, and given up after an hour or so."""
    return Outcome() if due.attempts < FAULTS_MAX else Outcome(failure_code=FailureCode.FAILED)


async def note_outcome(due: Scheduled, outcome: Outcome, tx: Tx) -> None:
    """Keep what came of it, and tell the person's devices. What is to be tried again lets the others go first."""
    if not outcome.final:
        await tx.conn.execute(
            "UPDATE scheduled_message SET attempts = least(attempts, 1000000) + 1, next_attempt_at = $2 "
            "WHERE scheduled_id = $1 AND status = 'pending'",
            *(due.scheduled_id, tx.now + _pause(due, outcome)),
        )
        return
    status = "failed" if outcome.failure_code else "sent"
    noted = await tx.conn.execute(
        # What could not be opened is kept as it is: the key may have been at fault, and may be mended.
        "UPDATE scheduled_message SET status = $2, failure_code = $3, seq = $4, "
        "body = CASE WHEN $5::boolean THEN body ELSE '' END WHERE scheduled_id = $1 AND status = 'pending'",
        *(due.scheduled_id, status, outcome.failure_code, outcome.seq, outcome.failure_code == FailureCode.UNREADABLE),
    )
    if noted == "UPDATE 0":
        return  # it was noted as it was stored, or was called back
    told = {"scheduled_id": due.scheduled_id, "failure_code": outcome.failure_code, "seq": outcome.seq}
    announce_scheduled(due.user_id, due.dialog_id, tx, status=status, **told)


def _pause(due: Scheduled, outcome: Outcome) -> timedelta:
    """As long as the refusal says; doubled each time where it says nothing. Never longer than ``RETRY_MAX``."""
    usual = timedelta(seconds=RETRY_FIRST.total_seconds() * (1 << min(due.attempts, 16)))
    return min(max(usual, timedelta(seconds=outcome.retry_after_s)), RETRY_MAX)


def _of(row: Mapping[str, Any], keys: Any) -> Scheduled:
    body = opened_json(keys, row["user_id"], row["body"], scheduled_id=row["scheduled_id"])
    return Scheduled(**{**dict(row), "body": body})
