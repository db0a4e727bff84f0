"""What the use cases of activity need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from messaging.activity.domain.activity import Activity, ForAll
from messaging.core.usecases import ports as core


class ActivityStore(Protocol):
    async def add(self, activities: Sequence[Activity]) -> None: ...
    async def remove(self, keys: Sequence[tuple[UUID, str]]) -> None: ...
    async def add_for_all(self, rows: Sequence[ForAll]) -> None: ...
    async def remove_of_messages(self, messages: Sequence[tuple[UUID, int]]) -> None: ...


class Tx(core.Tx, Protocol):
    @property
    def activities(self) -> ActivityStore: ...
