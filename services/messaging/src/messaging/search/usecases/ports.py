"""What the use cases of search need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from messaging.core.usecases import ports as core
from messaging.search.domain.index import Entry, Place, ReadableMessage


class SearchStore(Protocol):
    async def readable(self, messages: Sequence[Place]) -> list[ReadableMessage]: ...
    async def put(self, entries: Sequence[Entry]) -> None: ...
    async def remove(self, messages: Sequence[Place]) -> None: ...
    async def dialogs_below(self, below: UUID, only: UUID | None, limit: int) -> list[UUID]: ...
    async def seqs_after(self, dialog_id: UUID, after_seq: int, limit: int) -> list[int]: ...


class Tx(core.Tx, Protocol):
    @property
    def search(self) -> SearchStore: ...


Begin = Callable[[], AbstractAsyncContextManager[Tx]]
