"""What hangs on a message beside its content: attachments, a poll, a card, a preview of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from messaging.core.domain.cards import NAMED_BY, EntityType
from messaging.core.domain.message import SendMessage


@dataclass(frozen=True, slots=True)
class MessageParts:
    """What readers are shown of the parts, by the field of the message document."""

    fields: dict[str, Any] = field(default_factory=dict)


NONE = MessageParts()


def attached_ids(content: Mapping[str, Any]) -> list[UUID]:
    """Attachments that a content names."""
    many = content.get("attachment_ids") or ([content["attachment_id"]] if "attachment_id" in content else [])
    return [UUID(each) for each in many]


def named_entity(command: SendMessage) -> tuple[EntityType, UUID]:
    """What a message with a card is about."""
    entity_type, name = NAMED_BY[command.type]
    return entity_type, UUID(command.content[name])
