"""What the use cases of search need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from messaging.core.usecases import ports as core


class SearchStore(Protocol):
    async def remove_entries(self, messages: Sequence[tuple[UUID, int]]) -> None: ...


class Tx(core.Tx, Protocol):
    @property
    def search(self) -> SearchStore: ...


Begin = Callable[[], AbstractAsyncContextManager[Tx]]
