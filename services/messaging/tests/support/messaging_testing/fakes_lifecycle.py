"""The ports of lifecycle in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.lifecycle.domain.month import Month, MonthBusyError
from messaging.lifecycle.domain.retention import Purgeable
from messaging_testing.fakes_bots import FakeBots
from messaging_testing.fakes_core import FakeTx
from messaging_testing.fakes_search import FakeSearch
from messaging_testing.fakes_shared import FakeEndings


@dataclass
class FakeErasures:
    """``own_rows`` and ``written``: how many there are, and which."""

    done: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    finished: bool = False
    shredded: list[UUID] = field(default_factory=list)
    own_rows: int = 0
    written: list[tuple[UUID, int]] = field(default_factory=list)
    blanked: list[str] = field(default_factory=list)
    keys_freed: int = 0

    async def request_erasure(self, user_id: UUID, reason: str, now: datetime, due_at: datetime) -> None:
        del user_id, now, due_at
        self.reasons.append(reason)

    async def steps_done(self, user_id: UUID) -> Sequence[str]:
        del user_id
        return list(self.done)

    async def note_step(self, user_id: UUID, step: str) -> None:
        del user_id
        self.done.append(step)

    async def finish(self, user_id: UUID, now: datetime) -> None:
        del user_id, now
        self.finished = True

    async def shred_key(self, user_id: UUID, now: datetime) -> None:
        del now
        self.shredded.append(user_id)

    async def free_held_keys(self) -> int:
        self.keys_freed += 1
        return 0

    async def delete_own(self, user_id: UUID, limit: int) -> int:
        del user_id
        deleted = min(self.own_rows, limit)
        self.own_rows -= deleted
        return deleted

    async def delete_files(self, user_id: UUID, now: datetime) -> None:
        del user_id, now
        self.blanked.append("files")

    async def blank_reports(self, user_id: UUID) -> None:
        del user_id
        self.blanked.append("reports")

    async def written_in(self, dialog_id: UUID, user_id: UUID, after_seq: int, limit: int) -> list[tuple[UUID, int]]:
        del user_id
        return [each for each in self.written if each[0] == dialog_id and each[1] > after_seq][:limit]


@dataclass
class FakeMonths:
    """``busy``: tables whose lock nobody gets."""

    there: list[Month] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    held: int = 0

    async def months_of(self, table: str) -> list[Month]:
        return [each for each in self.there if each.table == table]

    async def make_month(self, month: Month) -> None:
        self._lock(month)
        self.there.append(month)

    async def drop_month(self, month: Month) -> int:
        self._lock(month)
        self.there.remove(month)
        return self.held

    def _lock(self, month: Month) -> None:
        if month.table in self.busy:
            raise MonthBusyError(month.name)


@dataclass
class FakeRetention:
    """``due``: dialogs with the first seq that they keep; None: the dialog keeps everything by now."""

    due: dict[UUID, int | None] = field(default_factory=dict)
    oldest: dict[UUID, int] = field(default_factory=dict)
    behind: dict[UUID, int] = field(default_factory=dict)
    rows: dict[UUID, int] = field(default_factory=dict)
    broken: set[UUID] = field(default_factory=set)
    account_changes: int = 0

    async def due_dialogs(self, days_max: int | None, now: datetime, after: UUID, limit: int) -> list[UUID]:
        del days_max, now
        return sorted(each for each in self.due if each > after)[:limit]

    async def cutoff_of(self, dialog_id: UUID, days_max: int | None, now: datetime) -> datetime | None:
        del days_max
        return None if self.due[dialog_id] is None else now

    async def first_seq_since(self, dialog_id: UUID, cutoff: datetime) -> int:
        del cutoff
        if dialog_id in self.broken:
            raise ValueError(dialog_id)
        return self.due[dialog_id] or 1

    async def set_oldest_seq(self, dialog_id: UUID, oldest_seq: int) -> None:
        self.oldest[dialog_id] = oldest_seq

    async def move_cursors(self, dialog_id: UUID, oldest_seq: int, limit: int) -> int:
        del oldest_seq
        moved = min(self.behind.get(dialog_id, 0), limit)
        self.behind[dialog_id] = self.behind.get(dialog_id, 0) - moved
        return moved

    async def trim_account_changes(self, before: datetime, limit: int) -> int:
        del before
        trimmed = min(self.account_changes, limit)
        self.account_changes -= trimmed
        return trimmed

    async def purgeable_dialogs(self, days_max: int | None, after: UUID, limit: int) -> list[Purgeable]:
        del days_max
        return [Purgeable(each, 5, True) for each in sorted(self.rows) if each > after][:limit]

    async def purge(self, dialog: Purgeable, limit: int) -> int:
        if dialog.dialog_id in self.broken:
            raise ValueError(dialog.dialog_id)
        deleted = min(self.rows[dialog.dialog_id], limit)
        self.rows[dialog.dialog_id] -= deleted
        return deleted


@dataclass
class FakeHolds:
    """``held``: dialogs that there are, and whether each is held."""

    held: dict[UUID, bool] = field(default_factory=dict)
    released: list[UUID] = field(default_factory=list)

    async def set_hold(self, dialog_id: UUID, *, held: bool) -> bool | None:
        if dialog_id not in self.held:
            return None
        changed = self.held[dialog_id] is not held
        self.held[dialog_id] = held
        return changed

    async def release_held_messages(self, dialog_id: UUID) -> None:
        self.released.append(dialog_id)


class FakeOwnBots(FakeBots):
    blanked = False

    async def blank_of(self, owner_id: UUID) -> None:
        del owner_id
        self.blanked = True


@dataclass
class FakeKeys:
    forgotten: list[UUID] = field(default_factory=list)

    def forget(self, user_id: UUID) -> None:
        self.forgotten.append(user_id)


class FakeLifecycleTx(FakeTx):
    """In no dialog; ``begin`` opens the same one each time and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.endings: Any = FakeEndings()
        self.holds: Any = FakeHolds()
        self.erasures = FakeErasures()
        self.months = FakeMonths()
        self.retention = FakeRetention()
        self.search = FakeSearch()
        self.bots = FakeOwnBots()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[FakeLifecycleTx]:
        self.begun += 1
        yield self
