"""Kafka records as arrivals: parse, check, address. What cannot be read raises, and goes to the dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message as Body

from eventing import Message, traceparent_of
from kernel.ids import uuid7
from orchestrator.domain.errors import MalformedRecordError
from orchestrator.domain.inputs import Cancel, Reply, Start
from orchestrator.sagas import TRIGGERS
from orchestrator.usecases.advance_sagas import Arrival
from orchestrator.usecases.ports import Trail
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply

_TEXT_CHARS_MAX: Final = 500


def arrival_of(message: Message[Body], now: datetime) -> Arrival:
    """Raises ``MalformedRecordError``."""
    trail = Trail(str(message.id), traceparent_of(message))
    is_reply = isinstance(message.body, CommandReply)
    if is_reply != message.topic.endswith(".replies.v1"):
        raise MalformedRecordError(f"{message.type} does not belong on {message.topic}")
    if isinstance(message.body, CommandReply):
        return _reply(message.body, now, trail)
    return _trigger(message, now, trail)


def _reply(body: CommandReply, now: datetime, trail: Trail) -> Arrival:
    if body.outcome not in {OUTCOME_SUCCEEDED, OUTCOME_REJECTED}:
        raise MalformedRecordError("the outcome is not said")
    if body.outcome == OUTCOME_REJECTED and not body.code:
        raise MalformedRecordError("a refusal without a code")
    try:
        saga_id, command_id = UUID(body.reply_key), UUID(body.command_id)
    except ValueError:
        raise MalformedRecordError("reply_key or command_id is not a UUID") from None
    reply = Reply(
        at=now,
        command_id=command_id,
        succeeded=body.outcome == OUTCOME_SUCCEEDED,
        code=_storable(body.code),
        detail=_storable(body.detail),
    )
    return Arrival(event=reply, saga_id=saga_id, trail=trail)


def _trigger(message: Message[Any], now: datetime, trail: Trail) -> Arrival:
    trigger = TRIGGERS[type(message.body)]
    trigger.check(message.body)
    key = (trigger.saga_type, trigger.business_key(message.body))
    if trigger.cancel_code is not None:
        return Arrival(event=Cancel(at=now, code=_storable(trigger.cancel_code(message.body))), key=key, trail=trail)
    start = Start(
        at=now,
        saga_id=uuid7(),
        business_key=key[1],
        correlation_id=message.correlation_id,
        data=message.body.SerializeToString(),
    )
    return Arrival(event=start, key=key, trail=trail)


def _storable(text: str) -> str:
    """Text as Postgres takes it, and not endless: a participant's answer must not be lost for its wording."""
    return text.replace("\x00", "")[:_TEXT_CHARS_MAX]
