"""Keep a message until it is to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.core.domain.allowance import Allowance
from messaging.core.domain.dialog import BlockedError, DialogNotFoundError, require_present
from messaging.core.domain.message import ClientMessageIdReusedError, ScheduledNotFoundError, SendMessage
from messaging.core.domain.permissions import Act
from messaging.core.usecases.announce_scheduled import announce_scheduled
from messaging.scheduling.domain.scheduled import (
    AHEAD_MAX,
    AHEAD_MIN,
    PENDING_MAX,
    Scheduled,
    ScheduleTimeInvalidError,
    TooManyScheduledError,
)
from messaging.scheduling.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleMessage:
    """``body``: what ``message`` was made of."""

    message: SendMessage
    send_at: datetime
    body: Mapping[str, Any]


async def schedule_message(command: ScheduleMessage, tx: Tx) -> Scheduled:
    """What is kept. The same under the same id again is the first; another one is a ``ClientMessageIdReusedError``."""
    message, scheduled_id = command.message, command.message.client_message_id
    await tx.sealer.ready([message.sender_id])
    kept = await tx.scheduled.find(scheduled_id, message.sender_id)
    if kept is None:
        await _require_sendable(command, tx)
        if await tx.scheduled.add(_new(command, tx)):
            change = {"scheduled_id": scheduled_id, "status": "pending", "send_at": command.send_at}
            announce_scheduled(message.sender_id, message.dialog_id, tx, **change)
        kept = await tx.scheduled.find(scheduled_id, message.sender_id)
    if kept is None or kept.user_id != message.sender_id:
        raise ScheduledNotFoundError
    if not kept.says(message.dialog_id, command.send_at, command.body) or kept.status == "cancelled":
        raise ClientMessageIdReusedError(pointer="/message/client_message_id")
    return kept


async def _require_sendable(command: ScheduleMessage, tx: Tx) -> None:
    """What would refuse it then as far as can be told now: a mute may be over by then, a closed dialog stays closed."""
    message = command.message
    dialog = await tx.dialogs.find(message.dialog_id)
    if dialog is None:
        raise DialogNotFoundError
    [facts] = await tx.sends.read_facts([message], {dialog.dialog_id: dialog})
    member = require_present(facts.member)
    if not AHEAD_MIN <= command.send_at - tx.now <= AHEAD_MAX:
        raise ScheduleTimeInvalidError(pointer="/send_at")
    # What a forward says is read when it is sent.
    dialog.require(member, Act.SEND if message.forward_from else message.act, command.send_at)
    if facts.blocked:
        raise BlockedError
    await tx.allowances.hold(message.sender_id, Allowance.SCHEDULED)
    if await tx.scheduled.pending_count(message.sender_id, besides=message.client_message_id) >= PENDING_MAX:
        raise TooManyScheduledError


def _new(command: ScheduleMessage, tx: Tx) -> Scheduled:
    return Scheduled(
        scheduled_id=command.message.client_message_id,
        user_id=command.message.sender_id,
        dialog_id=command.message.dialog_id,
        send_at=command.send_at,
        body=command.body,
        created_at=tx.now,
    )
