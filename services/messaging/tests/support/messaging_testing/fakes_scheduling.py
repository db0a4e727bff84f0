"""The ports of scheduling in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.message import SendMessage
from messaging.core.domain.sending import Facts
from messaging.scheduling.domain.scheduled import Outcome, Scheduled
from messaging_testing.fakes_shared import (
    DIALOG,
    NOW,
    SENDER,
    FakeAccountStream,
    FakeAllowances,
    FakeDialogs,
    FakeSealer,
    FakeTransaction,
)

SCHEDULED = UUID(int=900)


def a_scheduled(**parts: Any) -> Scheduled:
    """Of ``SENDER``, for in an hour."""
    made: dict[str, Any] = {
        "scheduled_id": SCHEDULED,
        "user_id": SENDER,
        "dialog_id": DIALOG,
        "send_at": NOW + timedelta(hours=1),
        "body": {"content": {"type": "text", "text": "later"}},
        "status": "pending",
        "failure_code": "",
        "seq": None,
        "created_at": NOW,
    }
    return Scheduled(**{**made, **parts})


@dataclass
class FakeScheduled:
    by_id: dict[UUID, Scheduled] = field(default_factory=dict)
    put_off_until: dict[UUID, datetime] = field(default_factory=dict)

    async def add(self, new: Scheduled) -> bool:
        return self.by_id.setdefault(new.scheduled_id, new) is new

    async def find(self, scheduled_id: UUID, reader_id: UUID) -> Scheduled | None:
        found = self.by_id.get(scheduled_id)
        return replace(found, body=None) if found is not None and found.user_id != reader_id else found

    async def pending_count(self, user_id: UUID, *, besides: UUID) -> int:
        pending = [each for each in self.by_id.values() if each.user_id == user_id and each.status == "pending"]
        return sum(each.scheduled_id != besides for each in pending)

    async def cancel(self, scheduled_id: UUID, user_id: UUID) -> UUID | None:
        found = self.by_id.get(scheduled_id)
        if found is None or found.user_id != user_id or found.status != "pending":
            return None
        self.by_id[scheduled_id] = replace(found, status="cancelled")
        return found.dialog_id

    async def put_off(self, scheduled_id: UUID, until: datetime) -> None:
        self.put_off_until[scheduled_id] = until

    async def settle(self, scheduled_id: UUID, outcome: Outcome) -> bool:
        found = self.by_id[scheduled_id]
        if found.status != "pending":
            return False
        status = "failed" if outcome.failure_code else "sent"
        failure_code = outcome.failure_code
        self.by_id[scheduled_id] = replace(found, status=status, failure_code=failure_code, seq=outcome.seq)
        return True


@dataclass
class FakeDrafts:
    """``texts``: sealed, those that were not thrown away."""

    texts: dict[tuple[UUID, UUID], bytes] = field(default_factory=dict)
    versions: dict[tuple[UUID, UUID], int] = field(default_factory=dict)

    async def upsert(
        self, user_id: UUID, dialog_id: UUID, sealed: bytes, reply_to_seq: int | None, now: datetime
    ) -> int:
        del reply_to_seq, now
        self.texts[user_id, dialog_id] = sealed
        return self._moved(user_id, dialog_id)

    async def version(self, user_id: UUID, dialog_id: UUID) -> int:
        return self.versions.get((user_id, dialog_id), 0)

    async def empty(self, user_id: UUID, dialog_id: UUID, now: datetime) -> int | None:
        del now
        return None if self.texts.pop((user_id, dialog_id), None) is None else self._moved(user_id, dialog_id)

    def _moved(self, user_id: UUID, dialog_id: UUID) -> int:
        self.versions[user_id, dialog_id] = self.versions.get((user_id, dialog_id), 0) + 1
        return self.versions[user_id, dialog_id]


@dataclass
class FakeSends:
    dialogs: FakeDialogs
    blocked: bool = False

    async def read_facts(self, commands: Sequence[SendMessage], dialogs: Mapping[UUID, Dialog]) -> list[Facts]:
        del dialogs
        return [Facts(self.dialogs.members.get(each.sender_id), None, self.blocked) for each in commands]


@dataclass
class FakeSchedulingTx(FakeTransaction):
    now: datetime = NOW
    scheduled: FakeScheduled = field(default_factory=FakeScheduled)
    drafts: FakeDrafts = field(default_factory=FakeDrafts)
    dialogs: FakeDialogs = field(default_factory=FakeDialogs)
    allowances: FakeAllowances = field(default_factory=FakeAllowances)
    accounts: FakeAccountStream = field(default_factory=FakeAccountStream)
    sealer: FakeSealer = field(default_factory=FakeSealer)

    def __post_init__(self) -> None:
        self.sends = FakeSends(self.dialogs)
