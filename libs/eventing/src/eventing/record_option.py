"""Where a message type travels, read from the ``record`` option of its own descriptor.

The option's generated code is not imported: whoever imports the message type has registered it already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message as Body

OPTION: Final = "sampan.options.v1.record"
PARTICIPANT: Final = "{participant}"


@dataclass(frozen=True, slots=True)
class Travel:
    """How one message type travels. ``topic`` may hold ``{participant}``; ``logged``: kept in the event log."""

    type: str
    topic: str
    key_field: str
    logged: bool


_known: dict[type[Body], Travel] = {}


def travel_of(body: type[Body]) -> Travel:
    """The record option of ``body``.

    Raises ``TypeError`` when the type is not a record of its own.
    """
    travel = _known.get(body)
    if travel is None:
        travel = _known[body] = _read(body)
    return travel


def _read(body: type[Body]) -> Travel:
    descriptor = body.DESCRIPTOR
    option: Any = next(
        (value for field, value in descriptor.GetOptions().ListFields() if field.full_name == OPTION), None
    )
    if option is None or not option.topic:
        raise TypeError(f"{descriptor.full_name} has no ({OPTION}) option, so it is not a record")
    if option.key not in descriptor.fields_by_name:
        raise TypeError(f"{descriptor.full_name}: its record key {option.key!r} is not a field")
    return Travel(descriptor.full_name, option.topic, option.key, not option.unlogged)


def topic_of(body: type[Body], participant: str | None = None) -> str:
    """Topic (without prefix) that records of this type travel on.

    Raises ``ValueError`` when the topic depends on the participant and none is given.
    """
    topic = travel_of(body).topic
    if PARTICIPANT in topic:
        if participant is None:
            raise ValueError(f"{topic} needs a participant: name the topic")
        return topic.replace(PARTICIPANT, participant)
    return topic
