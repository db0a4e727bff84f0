"""Replace what a message says. What it said before is kept, and can be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from kernel.errors import DomainError, Kind
from messaging.core.domain.commands import MessageCommand
from messaging.core.domain.dialog import NotAllowedError
from messaging.core.domain.message import CONTENT_BYTES_MAX, ContentTooLargeError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_message_for import LoadedMessage, load_message_for
from messaging.core.usecases.ports import Tx

WINDOW: Final = timedelta(hours=48)
# What can be edited, and which fields: attachments and what a card is about stay.
EDITABLE: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"text"}),
    "code": frozenset({"text", "language"}),
    "image": frozenset({"text"}),
    "video": frozenset({"text"}),
    "file": frozenset({"text"}),
    "gif": frozenset({"text"}),
    "order": frozenset({"text"}),
    "product": frozenset({"text"}),
    "event": frozenset({"text"}),
}


class NotEditableError(DomainError):
    code, kind = "messaging.message.not_editable", Kind.CONFLICT
    title = "A message of this type, or this part of it, cannot be edited"


class EditWindowOverError(DomainError):
    code, kind = "messaging.message.edit_window_over", Kind.CONFLICT
    title = "A message can be edited for 48 hours"


class MessageChangedMeanwhileError(DomainError):
    code, kind = "messaging.message.changed_meanwhile", Kind.PRECONDITION
    title = "The message was edited on another device; look at it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage(MessageCommand):
    """``expected_version``: None edits whatever stands there."""

    content: Mapping[str, Any]
    expected_version: int | None = None


async def edit_message(command: EditMessage, tx: Tx) -> dict[str, Any]:
    """The message as it is now, as its writer sees it. The same content again changes nothing."""
    place = command.dialog_id, command.seq
    loaded = await load_message_for(tx, *place, command.user_id, Act.SEND)
    if not loaded.own:
        raise NotAllowedError
    await tx.stream.ready([command.user_id])
    before = await tx.messages.content(loaded.row)
    changed = before != command.content
    if changed:
        _require_editable(command, loaded, before, tx)
        await _replace(command, loaded, tx)
    row = (await tx.messages.messages_at([place]))[place]
    if changed:
        [shown] = await tx.messages.documents([row])
        tx.stream.change(
            loaded.dialog,
            "message.edited",
            actor_id=command.user_id,
            message_seq=command.seq,
            payload={"sender_id": command.user_id, "version": row["version"]},
            shown={"message": shown},
        )
    [document] = await tx.messages.documents([row], viewer_id=command.user_id)
    return document


def _require_editable(command: EditMessage, loaded: LoadedMessage, before: Mapping[str, Any] | None, tx: Tx) -> None:
    version = loaded.row["version"]
    if command.expected_version is not None and version != command.expected_version:
        raise MessageChangedMeanwhileError(context={"version": version})
    fields = EDITABLE.get(loaded.row["type"])
    if before is None or fields is None or loaded.row["forward"] is not None:
        raise NotEditableError
    changed = {name for name in {*before, *command.content} if before.get(name) != command.content.get(name)}
    if not changed <= fields:
        raise NotEditableError(pointer=f"/content/{min(changed - fields)}")
    if loaded.row["created_at"] + WINDOW < tx.now:
        raise EditWindowOverError


async def _replace(command: EditMessage, loaded: LoadedMessage, tx: Tx) -> None:
    content = tx.stream.encode(command.content)
    if len(content) > CONTENT_BYTES_MAX:
        raise ContentTooLargeError(pointer="/content")
    await tx.messages.replace_content(loaded.row, tx.sealer.encrypt(command.user_id, content), tx.now)
