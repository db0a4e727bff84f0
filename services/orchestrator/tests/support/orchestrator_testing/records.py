"""Records as a consumer gets them, without Kafka."""

from __future__ import annotations

from typing import TypeVar
from uuid import uuid4

from google.protobuf.message import Message as Body

from eventing import Message
from orchestrator_testing.builders import EPOCH

BodyT = TypeVar("BodyT", bound=Body)
REPLIES = "private.payment.replies.v1"


def record(body: BodyT, topic: str) -> Message[BodyT]:
    """One of a flow, with a trace."""
    return Message(
        id=uuid4(),
        type=body.DESCRIPTOR.full_name,
        topic=topic,
        partition=0,
        offset=0,
        key="k",
        time=EPOCH,
        body=body,
        headers={"traceparent": "00-x"},
        correlation_id="flow",
        causation_id=None,
        aggregate_version=None,
        reply_key=None,
    )
