"""The orchestrator without Postgres and Kafka: dicts behind the ports of the use cases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kernel.clock import FixedClock
from orchestrator.domain.batch import AppliedTransition, BusinessKey, Change
from orchestrator.domain.operator_acts import OperatorAction
from orchestrator.domain.state import SagaState, SagaUnreadableError, StaleSagaError
from orchestrator_testing.builders import EPOCH


@dataclass(slots=True)
class Rows:
    """What is committed."""

    sagas: dict[UUID, SagaState] = field(default_factory=dict)
    applied: list[AppliedTransition] = field(default_factory=list)
    actions: list[OperatorAction] = field(default_factory=list)
    told: list[AppliedTransition | OperatorAction] = field(default_factory=list)

    def copy(self) -> Rows:
        return Rows(dict(self.sagas), [*self.applied], [*self.actions], [*self.told])


class FakeSagas:
    """``unreadable``: ids of sagas whose rows are damaged; ``failing``: of those at which a lock fails unforeseen."""

    def __init__(self, rows: Rows, unreadable: set[UUID], failing: set[UUID]) -> None:
        self._rows = rows
        self._unreadable = unreadable
        self._failing = failing

    async def lock(self, ids: Iterable[UUID], keys: Iterable[BusinessKey]) -> Sequence[SagaState]:
        wanted, by_key = set(ids), set(keys)
        if wanted & self._unreadable:
            raise SagaUnreadableError
        if wanted & self._failing:
            raise ValueError("a defect")
        sagas = self._rows.sagas.values()
        return [each for each in sagas if each.saga_id in wanted or (each.saga_type, each.business_key) in by_key]

    async def lock_due(
        self, now: datetime, known: Sequence[tuple[str, int]], limit: int, only: Sequence[UUID] | None
    ) -> Sequence[SagaState]:
        due = [each for each in self._rows.sagas.values() if each.next_wake_at and each.next_wake_at <= now]
        mine = [each for each in due if (each.saga_type, each.version) in known]
        return [each for each in mine if only is None or each.saga_id in only][:limit]

    async def save(self, changes: Sequence[Change], applied: Sequence[AppliedTransition]) -> None:
        for change in changes:
            if self._rows.sagas.get(change.after.saga_id) is not change.before:
                raise StaleSagaError
            self._rows.sagas[change.after.saga_id] = change.after
        self._rows.applied += applied

    async def read(self, ids: Iterable[UUID]) -> Mapping[UUID, SagaState | SagaUnreadableError]:
        return {
            each: SagaUnreadableError() if each in self._unreadable else self._rows.sagas[each]
            for each in ids
            if each in self._rows.sagas
        }

    async def record(self, action: OperatorAction) -> None:
        self._rows.actions.append(action)


class FakeEvents:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def transitions_applied(self, applied: Sequence[AppliedTransition]) -> None:
        self._rows.told += applied

    def operator_acted(self, action: OperatorAction) -> None:
        self._rows.told.append(action)


@dataclass(slots=True)
class FakeTx:
    now: datetime
    sagas: FakeSagas
    events: FakeEvents


class FakeService:
    """``begin`` opens transactions on a copy of ``rows``, which becomes the rows where its block ends well."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.clock = FixedClock(EPOCH)
        self.unreadable: set[UUID] = set()
        self.failing: set[UUID] = set()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[FakeTx]:
        rows = self.rows.copy()
        yield FakeTx(self.clock.now(), FakeSagas(rows, self.unreadable, self.failing), FakeEvents(rows))
        self.rows = rows
