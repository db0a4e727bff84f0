"""What the use cases of polls need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from messaging.core.domain.poll import Poll
from messaging.core.usecases import ports as core


class PollStore(core.PollStore, Protocol):
    async def find(self, dialog_id: UUID, seq: int) -> Poll | None: ...
    async def replace_votes(self, poll: Poll, user_id: UUID, options: Sequence[int], now: datetime) -> bool: ...
    async def close(self, poll: Poll, now: datetime) -> bool: ...


class Tx(core.Tx, Protocol):
    @property
    def polls(self) -> PollStore: ...
