"""The ports that several features use, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)


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
