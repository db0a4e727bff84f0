"""Find what hangs on messages before they are stored: attachments, polls, cards, previews of links.

A message without parts costs nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.errors import DomainError
from messaging.core.domain.attachment import Attachment, AttachmentUnusableError
from messaging.core.domain.cards import NAMED_BY, PUBLIC, CardUnknownError, Entity
from messaging.core.domain.links import linked, preview_of
from messaging.core.domain.message import SendMessage
from messaging.core.domain.message_parts import NONE, MessageParts, attached_ids, named_entity
from messaging.core.usecases.ports import Tx


async def find_message_parts(commands: Sequence[SendMessage], tx: Tx) -> list[MessageParts | DomainError]:
    """The parts of each message, or why it cannot have them."""
    named = {number: named_entity(command) for number, command in enumerate(commands) if command.type in NAMED_BY}
    links = {number: link for number, command in enumerate(commands) if (link := linked(command.content))}
    entities = await tx.entities.find([*named.values(), *links.values()])
    wanted = [(command.sender_id, each) for command in commands for each in attached_ids(command.content)]
    sendable_now = await tx.attachments.sendable(wanted)
    parts: list[MessageParts | DomainError] = []
    for number, command in enumerate(commands):
        if command.type == "poll":
            parts.append(_poll(command, tx.now))
        elif files := attached_ids(command.content):
            parts.append(_files(command, [sendable_now.get((command.sender_id, each)) for each in files]))
        elif number in named:
            parts.append(_card(command, entities.get(named[number])))
        elif number in links:
            parts.append(MessageParts({"preview": preview_of(entities.get(links[number]), command.sender_id)}))
        else:
            parts.append(NONE)
    return parts


def _files(command: SendMessage, found: Sequence[Attachment | None]) -> MessageParts | DomainError:
    files = [each for each in found if each is not None]
    if len(files) < len(found) or not all(each.shows_as(command.type) for each in files):
        return AttachmentUnusableError(pointer="/content")
    return MessageParts({"attachments": [each.shown() for each in files]})


def _card(command: SendMessage, entity: Entity | None) -> MessageParts | DomainError:
    if entity is None or (entity.type not in PUBLIC and command.sender_id not in entity.parties):
        return CardUnknownError(pointer="/content")
    return MessageParts({"card": entity.shown()})


def _poll(command: SendMessage, now: datetime) -> MessageParts:
    content = command.content
    closes_at = now + timedelta(seconds=content["open_s"]) if "open_s" in content else None
    shown = {
        "votes": [0] * len(content["options"]),
        "voters": 0,
        "multiple": content["multiple"],
        "anonymous": content["anonymous"],
        "closes_at": closes_at,
        "closed_at": None,
    }
    return MessageParts({"poll": shown})
