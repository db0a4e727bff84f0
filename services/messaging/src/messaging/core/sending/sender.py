"""Sends messages, group-committed (``chassis.group_commit``): one transaction a batch.

A transaction of its own for each message makes a few hundred messages a second of one dialog, whose row is locked until
the disk has answered; a batch makes thousands (bench/RESULTS.md). Every send has a ``client_message_id``, so a batch
may be committed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from chassis.group_commit import GroupCommit, GroupCommitMetrics, Submitted
from kernel.errors import DomainError, Kind
from messaging.core.domain.message import SendMessage, Sent
from messaging.core.usecases.send_messages import send_messages

if TYPE_CHECKING:
    from messaging.core.usecases.ports import Begin

_METRICS: Final = GroupCommitMetrics("messaging_send", "messages")


class SendingBusyError(DomainError):
    """Whether it was stored cannot be told; the same request again tells it."""

    code, kind = "messaging.message.busy", Kind.UNAVAILABLE
    title = "Sending is busy; send the same message again"


class Sender:
    """``lanes`` are runners of every role that sends. A dialog's sends are always in one, which keeps order."""

    def __init__(self, begin: Begin, *, lanes: int, batch_max: int) -> None:
        self._begin = begin
        self.lanes: tuple[GroupCommit[None, SendMessage, Sent], ...] = tuple(
            GroupCommit(
                f"send-{number}",
                self._commit,
                hold=nullcontext,
                busy=SendingBusyError,
                metrics=_METRICS,
                batch_max=batch_max,
            )
            for number in range(lanes)
        )

    async def send(self, command: SendMessage) -> Sent:
        """Store a message; answered once it is durable. Raises its refusal, or ``SendingBusyError``."""
        return await self.lanes[command.dialog_id.int % len(self.lanes)].submit(command)

    async def _commit(self, _: None, batch: Sequence[Submitted[SendMessage, Sent]]) -> Sequence[Sent | DomainError]:
        async with self._begin() as tx:
            return await send_messages([each.item for each in batch], tx)
