"""The ports that several features use, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from messaging.core.domain.dialog import Dialog, DialogKind, Membership, MemberStatus
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.domain.permissions import Role
from messaging.core.domain.stream import Position

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
SENDER, OTHER, DIALOG = (UUID(int=number) for number in (500, 501, 700))


def a_dialog(**parts: Any) -> Dialog:
    """A group."""
    position = Position(
        dialog_id=DIALOG,
        workspace_id=MAIN_WORKSPACE,
        kind=DialogKind.GROUP,
        last_seq=0,
        last_message_no=0,
        last_at=NOW,
        last_message_at=NOW,
        content_published=False,
    )
    return Dialog(position=position, **parts)


def a_member(**parts: Any) -> Membership:
    """``SENDER``, who is in."""
    made: dict[str, Any] = {
        "user_id": SENDER,
        "role": Role.MEMBER,
        "status": MemberStatus.ACTIVE,
        "joined_seq": 1,
        "muted_until": None,
        "last_sent_at": None,
    }
    return Membership(**{**made, **parts})


@dataclass
class FakeAllowances:
    held: list[tuple[UUID, Any]] = field(default_factory=list)

    async def hold(self, user_id: UUID, of: Any) -> None:
        self.held.append((user_id, of))


@dataclass
class FakeEndings:
    ended: dict[UUID, datetime] = field(default_factory=dict)
    acts_ended: list[UUID] = field(default_factory=list)
    due: dict[UUID, datetime | None] = field(default_factory=dict)

    async def end_accounts(self, user_ids: Sequence[UUID], at: datetime, now: datetime) -> None:
        del now
        for user_id in user_ids:
            self.ended.setdefault(user_id, at)

    async def end_own_acts(self, user_id: UUID) -> None:
        self.acts_ended.append(user_id)

    async def put_ending_off(self, user_id: UUID, due_at: datetime | None) -> None:
        self.due[user_id] = due_at


@dataclass
class FakeSealer:
    """Sealed is the clear text backwards, after whose it is."""

    people: set[UUID | None] = field(default_factory=set)

    async def ready(self, people: Sequence[UUID | None]) -> None:
        self.people.update(people)

    def encrypt(self, user_id: UUID | None, clear: bytes) -> bytes:
        return f"{user_id}:".encode() + clear[::-1]


@dataclass
class FakeAccountStream:
    changes: list[tuple[UUID, str, Mapping[str, Any]]] = field(default_factory=list)

    def change(
        self, user_id: UUID, kind: str, *, dialog_id: UUID | None = None, payload: Mapping[str, Any] | None = None
    ) -> None:
        self.changes.append((user_id, kind, {"dialog_id": dialog_id, **(payload or {})}))


class FakeTransaction:
    """Savepoints, and ``begin`` for use cases that cross transactions: always the same one."""

    now: datetime = NOW

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        yield self


@dataclass
class FakeStream:
    """``dialogs``: those there are; what is locked is one of them."""

    dialogs: dict[UUID, Any] = field(default_factory=dict)
    changes: list[tuple[Any, str, Mapping[str, Any]]] = field(default_factory=list)

    async def lock(self, dialog_id: UUID) -> Any:
        return self.dialogs[dialog_id]

    async def lock_many(self, dialog_ids: Iterable[UUID]) -> Mapping[UUID, Any]:
        return {each: self.dialogs[each] for each in dialog_ids if each in self.dialogs}

    def change(self, dialog: Any, kind: str, **parts: Any) -> int:
        self.changes.append((dialog, kind, parts))
        return len(self.changes)


@dataclass
class FakeDialogs:
    by_id: dict[UUID, Dialog] = field(default_factory=lambda: {DIALOG: a_dialog()})
    members: dict[UUID, Membership] = field(default_factory=lambda: {SENDER: a_member()})

    async def find(self, dialog_id: UUID) -> Dialog | None:
        return self.by_id.get(dialog_id)

    async def find_member(self, dialog_id: UUID, user_id: UUID, *, held: bool = False) -> Membership | None:
        del dialog_id, held
        return self.members.get(user_id)
