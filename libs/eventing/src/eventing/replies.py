"""The one answer that every saga participant gives to a command."""

from __future__ import annotations

from typing import Any, Final

from eventing.inbox import Answer, Outcome
from eventing.message import Message
from eventing.outbox import Outbox
from eventing.tracing import in_flow_of
from kernel.errors import DomainError
from kernel.ids import derived_id
from sampan.orchestrator.v1 import reply_pb2

SUCCEEDED: Final = Answer(Outcome.DONE, "", "")


def rejection(error: DomainError) -> Answer:
    """The answer that refuses a command for a business reason."""
    return Answer(Outcome.REJECTED, error.code, error.detail)


def reply(outbox: Outbox, command: Message[Any], answer: Answer) -> None:
    """Put the reply to a command into the outbox: the same id and content, however often it is asked again.

    A command without ``reply_key`` is answered to nobody. One whose effect is still owed is not answered yet.
    """
    if command.reply_key is None or answer.outcome is Outcome.DEAD:
        return
    succeeded = answer.outcome is Outcome.DONE
    with in_flow_of(command):
        outbox.add(
            reply_pb2.CommandReply(
                reply_key=command.reply_key,
                command_id=str(command.id),
                outcome=reply_pb2.OUTCOME_SUCCEEDED if succeeded else reply_pb2.OUTCOME_REJECTED,
                code=answer.code,
                detail=answer.detail,
            ),
            event_id=derived_id(command.id, "reply"),
        )
