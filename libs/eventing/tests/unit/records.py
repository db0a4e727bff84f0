"""Received records made up for unit tests."""

import uuid

from aiokafka import TopicPartition

from eventing.received import Received
from eventing.subscriptions import Handler


async def nothing(message, tx):
    pass


def handler(*, batch=False, command=False):
    return Handler(nothing, batch=batch, command=command, versioned=False)


def received(key, handler=None, offset=0, partition=0):
    return Received(
        tp=TopicPartition("t", partition),
        topic="t",
        offset=offset,
        key=key,
        value=b"",
        headers=(),
        id=uuid.uuid4(),
        type="x",
        message=None,
        handler=handler,
        malformed=None,
    )
