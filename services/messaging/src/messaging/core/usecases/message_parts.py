"""What hangs on a message beside its content: attachments, a poll, a card. Found before it is stored, tied to it after.

Each kind of part is a module with ``find`` and ``attach``; a message without parts costs nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from kernel.errors import DomainError
from messaging.core.domain.attachment import Attachment, AttachmentUnusableError
from messaging.core.domain.cards import NAMED_BY, PUBLIC, CardUnknownError, Entity, EntityType
from messaging.core.domain.links import linked, preview_of
from messaging.core.domain.message import SendMessage
from messaging.core.domain.poll import Poll
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True)
class Parts:
    """What readers are shown of the parts, by the field of the message document."""

    fields: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return self.fields


NONE = Parts()


async def find_parts(tx: Tx, commands: Sequence[SendMessage]) -> list[Parts | DomainError]:
    """The parts of each message, or why it cannot have them."""
    named = {number: _named(command) for number, command in enumerate(commands) if command.type in NAMED_BY}
    links = {number: link for number, command in enumerate(commands) if (link := linked(command.content))}
    entities = await tx.entities.find([*named.values(), *links.values()])
    wanted = [(command.sender_id, each) for command in commands for each in attached_ids(command.content)]
    sendable_now = await tx.attachments.sendable(wanted)
    parts: list[Parts | DomainError] = []
    for number, command in enumerate(commands):
        if command.type == "poll":
            parts.append(_poll(command, tx.now))
        elif files := attached_ids(command.content):
            parts.append(_files(command, [sendable_now.get((command.sender_id, each)) for each in files]))
        elif number in named:
            parts.append(_card(command, entities.get(named[number])))
        elif number in links:
            parts.append(Parts({"preview": preview_of(entities.get(links[number]), command.sender_id)}))
        else:
            parts.append(NONE)
    return parts


async def attach_parts(tx: Tx, stored: Sequence[tuple[SendMessage, int, Parts]]) -> None:
    """Tie parts to the messages that were stored."""
    polls = [_stored_poll(command, seq, parts) for command, seq, parts in stored if "poll" in parts.fields]
    if polls:
        await tx.polls.add(polls)
    cards = [(*_named(command), command.dialog_id, seq) for command, seq, parts in stored if "card" in parts.fields]
    if cards:
        await tx.entities.tie_cards(cards)
    uses = [
        (each, command.dialog_id, seq, place)
        for command, seq, parts in stored
        if "attachments" in parts.fields
        for place, each in enumerate(attached_ids(command.content))
    ]
    if uses:
        await tx.attachments.tie(uses)


def attached_ids(content: Mapping[str, Any]) -> list[UUID]:
    """Attachments that a content names."""
    many = content.get("attachment_ids") or ([content["attachment_id"]] if "attachment_id" in content else [])
    return [UUID(each) for each in many]


def _files(command: SendMessage, found: Sequence[Attachment | None]) -> Parts | DomainError:
    files = [each for each in found if each is not None]
    if len(files) < len(found) or not all(each.shows_as(command.type) for each in files):
        return AttachmentUnusableError(pointer="/content")
    return Parts({"attachments": [each.shown() for each in files]})


def _named(command: SendMessage) -> tuple[EntityType, UUID]:
    entity_type, name = NAMED_BY[command.type]
    return entity_type, UUID(command.content[name])


def _card(command: SendMessage, entity: Entity | None) -> Parts | DomainError:
    if entity is None or (entity.type not in PUBLIC and command.sender_id not in entity.parties):
        return CardUnknownError(pointer="/content")
    return Parts({"card": entity.shown()})


def _poll(command: SendMessage, now: datetime) -> Parts:
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
    return Parts({"poll": shown})


def _stored_poll(command: SendMessage, seq: int, parts: Parts) -> Poll:
    shown = parts.fields["poll"]
    return Poll(
        dialog_id=command.dialog_id,
        seq=seq,
        options=len(shown["votes"]),
        multiple=shown["multiple"],
        anonymous=shown["anonymous"],
        closes_at=shown["closes_at"],
    )
