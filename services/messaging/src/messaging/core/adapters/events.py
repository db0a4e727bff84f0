"""What other services hear of a dialog's stream: records of ``sampan.messaging.v1``, without what was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message as Body

from contracts.values import timestamp_of
from eventing import Outbox
from messaging.core.domain.cards import Entity
from messaging.core.domain.dialog import Dialog
from messaging.core.domain.stream import NewChange, NewMessage, Position
from sampan.messaging.v1 import content_pb2, dialog_pb2, message_pb2

ALL: Final = "@all"
# The same for all messages of a commit; whoever is given it copies it.
_timestamp: Final = lru_cache(maxsize=64)(timestamp_of)


class Events:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def message_sent(self, position: Position, message: NewMessage, *, seq: int, at: datetime, content: bytes) -> None:
        """Announce a message; its content only where the dialog publishes it."""
        dialog_id = str(position.dialog_id)
        people = [each for each in message.mentions if not each.startswith("@")]
        roles = [each.removeprefix("@") for each in message.mentions if each.startswith("@") and each != ALL]
        self._outbox.add(
            message_pb2.MessageSent(
                dialog_id=dialog_id,
                seq=seq,
                workspace_id=str(position.workspace_id),
                dialog_kind=position.kind,
                sender_id=_text(message.sender_id),
                type=message.type,
                reply_to_seq=message.reply_to_seq or 0,
                thread_seq=message.thread_seq or 0,
                mentioned_user_ids=people,
                mentions_all=ALL in message.mentions,
                mentioned_roles=roles,
                sent_at=_timestamp(at),
            ),
            aggregate_version=seq,
        )
        if position.content_published:
            self._outbox.add(
                content_pb2.MessageContentSent(
                    dialog_id=dialog_id,
                    seq=seq,
                    sender_id=_text(message.sender_id),
                    type=message.type,
                    text=str(message.content.get("text", "")),
                    content_json=content.decode(),
                    sent_at=_timestamp(at),
                ),
                aggregate_version=seq,
            )

    def dialog_created(
        self, dialog: Dialog, created_by: UUID | None, at: datetime, *, about: Entity | None = None
    ) -> None:
        """Announce a dialog that was just inserted. ``about``: what a topic is about."""
        position = dialog.position
        self._outbox.add(
            dialog_pb2.DialogCreated(
                dialog_id=str(position.dialog_id),
                workspace_id=str(position.workspace_id),
                kind=position.kind,
                created_by=_text(created_by),
                entity_type=about.type.value if about is not None else "",
                entity_id=str(about.id) if about is not None else "",
                created_at=_timestamp(at),
            )
        )

    def changed(self, position: Position, change: NewChange, seq: int, at: datetime) -> None:
        """Announce a change that others may know; the rest stays within messaging."""
        make = _RECORDS.get(change.type)
        if make is not None:
            self._outbox.add(make(str(position.dialog_id), change, seq, at), aggregate_version=seq)


def _about_message(dialog_id: str, change: NewChange, seq: int) -> dict[str, Any]:
    """What every record of a change of a message says."""
    sender_id = _text(change.payload.get("sender_id"))
    return {"dialog_id": dialog_id, "seq": seq, "message_seq": change.message_seq or 0, "sender_id": sender_id}


def _edited(dialog_id: str, change: NewChange, seq: int, at: datetime) -> Body:
    facts = _about_message(dialog_id, change, seq)
    return message_pb2.MessageEdited(**facts, version=change.payload.get("version", 0), edited_at=_timestamp(at))


def _deleted(dialog_id: str, change: NewChange, seq: int, at: datetime) -> Body:
    facts = _about_message(dialog_id, change, seq)
    return message_pb2.MessageDeleted(**facts, deleted_by=_text(change.actor_id), deleted_at=_timestamp(at))


def _reaction(dialog_id: str, change: NewChange, seq: int, at: datetime) -> Body:
    return message_pb2.ReactionChanged(
        **_about_message(dialog_id, change, seq),
        user_id=_text(change.payload["user_id"]),
        emoji=change.payload["emoji"],
        added=change.payload["added"],
        changed_at=_timestamp(at),
    )


def _member(dialog_id: str, change: NewChange, seq: int, at: datetime) -> Body:
    member = change.payload["member"]
    return dialog_pb2.MemberChanged(
        dialog_id=dialog_id,
        seq=seq,
        user_id=_text(member["user_id"]),
        role=str(member["role"]),
        status=str(member["status"]),
        changed_by=_text(change.actor_id),
        changed_at=_timestamp(at),
    )


def _dialog(dialog_id: str, change: NewChange, seq: int, at: datetime) -> Body:
    fields = change.payload.get("dialog", {})
    return dialog_pb2.DialogChanged(
        dialog_id=dialog_id,
        seq=seq,
        changed_by=_text(change.actor_id),
        fields=sorted(fields),
        archived=bool(fields.get("closed_at")),
        changed_at=_timestamp(at),
    )


_RECORDS: Final[dict[str, Callable[[str, NewChange, int, datetime], Body]]] = {
    "message.edited": _edited,
    "message.deleted": _deleted,
    "reaction.changed": _reaction,
    "member.changed": _member,
    "dialog.changed": _dialog,
}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
