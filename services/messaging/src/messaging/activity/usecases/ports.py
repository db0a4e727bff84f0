"""What the use cases of activity need from outside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from messaging.activity.domain.activity import Activity, ForAll, LatestReaction, Newcomer
from messaging.core.usecases import ports as core

Place = tuple[UUID, int]


class ActivityStore(Protocol):
    async def add(self, activities: Sequence[Activity]) -> None: ...
    async def remove(self, keys: Sequence[tuple[UUID, str]]) -> None: ...
    async def add_for_all(self, rows: Sequence[ForAll]) -> None: ...
    async def remove_of_messages(self, messages: Sequence[Place]) -> None: ...


class HappeningReads(Protocol):
    async def talkers_before(self, answers: Sequence[tuple[UUID, int, int]], limit: int) -> dict[Place, list[UUID]]: ...
    async def latest_reactions(
        self, places: Collection[tuple[UUID, int, UUID]]
    ) -> dict[tuple[UUID, int, UUID], LatestReaction]: ...
    async def newcomers(self, places: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Newcomer]: ...
    async def keepers_of(self, dialog_ids: Collection[UUID]) -> dict[UUID, list[UUID]]: ...


class Tx(core.Tx, Protocol):
    @property
    def activities(self) -> ActivityStore: ...
    @property
    def happenings(self) -> HappeningReads: ...
