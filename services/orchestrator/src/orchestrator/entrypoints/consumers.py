"""Kafka in: what starts, cancels or answers sagas. A whole poll is one call and one transaction.

A record is parsed, checked and addressed; what cannot be read raises, and goes to the dead letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message as Body

from eventing import Message, Subscriptions, traceparent_of
from kernel.ids import uuid7
from orchestrator.adapters import metrics
from orchestrator.adapters.transaction import OrchestratorTx
from orchestrator.domain.batch import AddressedInput, CausationContext
from orchestrator.domain.ids import CommandId, SagaId
from orchestrator.domain.inputs import Cancel, Reply, Start
from orchestrator.domain.registry import SagaRegistry, UnknownDefinitionError
from orchestrator.sagas import REGISTRY, TRIGGERS
from orchestrator.sagas.triggers import MalformedRecordError
from orchestrator.usecases.advance_sagas import AdvanceSagas, advance_sagas
from orchestrator.wiring import NAME, App
from sampan.orchestrator.v1.commands_pb2 import CancelOrderPayment, StartOrderPayment
from sampan.orchestrator.v1.reply_pb2 import OUTCOME_REJECTED, OUTCOME_SUCCEEDED, CommandReply

TOPICS: Final = (
    "private.orchestrator.commands.v1",
    "private.commerce.replies.v1",
    "private.payment.replies.v1",
)
_TEXT_CHARS_MAX: Final = 500


class SplitBatchError(Exception):
    """One record of the batch cannot be handled here now; eventing splits the batch until it stands alone."""


def handlers(app: App) -> Subscriptions[OrchestratorTx]:
    """What a process consumes."""
    return subscriptions(app.registry)


def subscriptions(registry: SagaRegistry = REGISTRY) -> Subscriptions[OrchestratorTx]:
    """The consumer's table. One handler for everything, so that a poll is one batch whatever it holds."""
    table: Subscriptions[OrchestratorTx] = Subscriptions(NAME)

    @table.on_batch(StartOrderPayment, CancelOrderPayment, CommandReply, topic=TOPICS)
    async def advance(messages: Sequence[Message[Any]], tx: OrchestratorTx) -> None:
        command = AdvanceSagas([addressed_input_of(message, tx.now) for message in messages])
        try:
            ignored = await advance_sagas(command, tx, registry)
        except UnknownDefinitionError as error:
            if len(messages) == 1:
                raise  # this key waits until a newer process takes the partition over
            raise SplitBatchError from error
        metrics.count_ignored(ignored)

    return table


def addressed_input_of(message: Message[Body], now: datetime) -> AddressedInput:
    """Raises ``MalformedRecordError``."""
    causation = CausationContext(str(message.id), traceparent_of(message))
    is_reply = isinstance(message.body, CommandReply)
    if is_reply != message.topic.endswith(".replies.v1"):
        raise MalformedRecordError(f"{message.type} does not belong on {message.topic}")
    if isinstance(message.body, CommandReply):
        return _reply(message.body, now, causation)
    return _trigger(message, now, causation)


def _reply(body: CommandReply, now: datetime, causation: CausationContext) -> AddressedInput:
    if body.outcome not in {OUTCOME_SUCCEEDED, OUTCOME_REJECTED}:
        raise MalformedRecordError("the outcome is not said")
    if body.outcome == OUTCOME_REJECTED and not body.code:
        raise MalformedRecordError("a refusal without a code")
    try:
        saga_id, command_id = SagaId(UUID(body.reply_key)), CommandId(UUID(body.command_id))
    except ValueError:
        raise MalformedRecordError("reply_key or command_id is not a UUID") from None
    reply = Reply(
        at=now,
        command_id=command_id,
        succeeded=body.outcome == OUTCOME_SUCCEEDED,
        code=_storable(body.code),
        detail=_storable(body.detail),
    )
    return AddressedInput(event=reply, saga_id=saga_id, causation=causation)


def _trigger(message: Message[Any], now: datetime, causation: CausationContext) -> AddressedInput:
    trigger = TRIGGERS[type(message.body)]
    trigger.check(message.body)
    key = (trigger.saga_type, trigger.business_key(message.body))
    event: Cancel | Start
    if trigger.cancel_code is not None:
        event = Cancel(at=now, code=_storable(trigger.cancel_code(message.body)))
    else:
        event = Start(
            at=now,
            saga_id=SagaId(uuid7()),
            business_key=key[1],
            correlation_id=message.correlation_id,
            data=message.body.SerializeToString(),
        )
    return AddressedInput(event=event, key=key, causation=causation)


def _storable(text: str) -> str:
    """Text as Postgres takes it, and not endless: a participant's answer must not be lost for its wording."""
    return text.replace("\x00", "")[:_TEXT_CHARS_MAX]
