"""Kafka in: what starts, cancels or answers sagas. A whole poll is one call and one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventing import Message, Subscriptions
from kernel.clock import SystemClock
from orchestrator.adapters import metrics
from orchestrator.domain.errors import UnknownDefinitionError
from orchestrator.entrypoints.arrivals import arrival_of
from orchestrator.sagas import REGISTRY, SagaRegistry
from orchestrator.usecases.advance_sagas import advance_sagas
from orchestrator.wiring import OrchestratorTx
from sampan.orchestrator.v1.commands_pb2 import CancelOrderPayment, StartOrderPayment
from sampan.orchestrator.v1.reply_pb2 import CommandReply

TOPICS = (
    "private.orchestrator.commands.v1",
    "private.commerce.replies.v1",
    "private.payment.replies.v1",
)


class SplitBatchError(Exception):
    """One record of the batch cannot be handled here now; eventing splits the batch until it stands alone."""


def subscriptions(registry: SagaRegistry = REGISTRY) -> Subscriptions[OrchestratorTx]:
    """The consumer's table. One handler for everything, so that a poll is one batch whatever it holds."""
    table: Subscriptions[OrchestratorTx] = Subscriptions("orchestrator")
    clock = SystemClock()

    @table.on_batch(StartOrderPayment, CancelOrderPayment, CommandReply, topic=TOPICS)
    async def advance(messages: Sequence[Message[Any]], tx: OrchestratorTx) -> None:
        now = clock.now()
        arrivals = [arrival_of(message, now) for message in messages]
        try:
            ignored = await advance_sagas(arrivals, tx, registry)
        except UnknownDefinitionError as error:
            if len(messages) == 1:
                raise  # this key waits until a newer process takes the partition over
            raise SplitBatchError from error
        for ignorance in ignored:
            metrics.IGNORED.labels(ignorance.saga_type, ignorance.reason).inc()

    return table
