"""Sends messages through lanes: the sends of one dialog are always in the same lane, so their order is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from messaging.core.domain.message import SendMessage, Sent
from messaging.core.sending.lane import Lane, Submitted
from messaging.core.usecases.send_message import send_messages

if TYPE_CHECKING:
    from kernel.errors import DomainError
    from messaging.core.usecases.ports import Begin


class Sender:
    """``lanes`` are runners of every role that sends."""

    def __init__(self, begin: Begin, *, lanes: int, batch_max: int) -> None:
        self._begin = begin
        self.lanes = tuple(Lane(f"send-{number}", self._commit, batch_max=batch_max) for number in range(lanes))

    async def send(self, command: SendMessage) -> Sent:
        """Store a message; answered once it is durable. Raises its refusal, or ``SendingBusyError``."""
        return await self.lanes[command.dialog_id.int % len(self.lanes)].submit(command)

    async def _commit(self, batch: Sequence[Submitted[SendMessage, Sent]]) -> Sequence[Sent | DomainError]:
        async with self._begin() as tx:
            return await send_messages([each.command for each in batch], tx)
