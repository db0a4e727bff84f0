"""Rules of messages: what may be said, by whom, and what hinders it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from messaging.core.domain.permissions import Act

TEXT_CHARS_MAX: Final = 8_000
CONTENT_BYTES_MAX: Final = 48 * 1024
MENTIONS_MAX: Final = 50
ALL: Final = "@all"
MEDIA_TYPES: Final = frozenset({"voice", "file", "image", "video", "sticker", "gif"})
# Only the system writes these; a card or a payment is made by the service that knows its truth.
SYSTEM_TYPES: Final = frozenset({"system", "payment"})
UNFORWARDABLE_TYPES: Final = SYSTEM_TYPES | {"poll"}


class MessageNotFoundError(DomainError):
    code, kind = "messaging.message.not_found", Kind.NOT_FOUND
    title = "There is no such message"


class ClientMessageIdReusedError(DomainError):
    code, kind = "messaging.message.client_message_id_reused", Kind.CONFLICT
    title = "This client_message_id was used for another message"


class ReplyTargetMissingError(DomainError):
    code, kind = "messaging.message.reply_target_missing", Kind.INVALID
    title = "The message to reply to is not in this dialog"


class ContentTooLargeError(DomainError):
    code, kind = "messaging.message.too_large", Kind.INVALID
    title = f"The content has more than {CONTENT_BYTES_MAX} bytes"


class NotForwardableError(DomainError):
    code, kind = "messaging.message.not_forwardable", Kind.CONFLICT
    title = "A message of this type cannot be forwarded"


class MentionUnknownError(DomainError):
    code, kind = "messaging.message.mention_unknown", Kind.INVALID
    title = "Somebody who is mentioned is not in this dialog"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """Store a message and tell everybody in the dialog. ``content["type"]`` says what it is.

    ``forward_from``: what the sender asked to forward; ``forward`` says where that came from first.
    ``scheduled``: it is the scheduled message whose id is ``client_message_id``, and stored only while that one waits.
    """

    dialog_id: UUID
    sender_id: UUID
    client_message_id: UUID
    content: Mapping[str, Any]
    reply_to_seq: int | None = None
    thread_seq: int | None = None
    mentions: tuple[str, ...] = ()
    forward: Mapping[str, Any] | None = None
    forward_from: tuple[UUID, int] | None = None
    scheduled: bool = False

    @property
    def type(self) -> str:
        return str(self.content["type"])

    @property
    def act(self) -> Act:
        """What the sender must be allowed to do."""
        if self.type in MEDIA_TYPES:
            return Act.SEND_MEDIA
        return Act.POLL if self.type == "poll" else Act.SEND


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A stored message. ``replayed``: it was stored by an earlier request with the same ``client_message_id``."""

    seq: int
    sent_at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """The message that was stored under the same client_message_id."""

    seq: int
    body_hash: bytes
    sent_at: datetime

    def again(self, *fingerprints: bytes) -> Sent:
        """The answer to a retry, whatever is refused now. Raises ``ClientMessageIdReusedError`` for another body."""
        if self.body_hash not in fingerprints:
            raise ClientMessageIdReusedError(pointer="/client_message_id")
        return Sent(seq=self.seq, sent_at=self.sent_at, replayed=True)


def body_hash(content_json: bytes, command: SendMessage) -> bytes:
    """Tells a retry from another message under the same id."""
    rest = f"{command.reply_to_seq}|{command.thread_seq}|{' '.join(command.mentions)}|{command.forward is not None}"
    return hashlib.blake2b(content_json + rest.encode(), digest_size=16).digest()


def request_hash(content_json: bytes, command: SendMessage) -> bytes:
    """The same of what was asked for: of a forward which message, for what that says may change before a retry."""
    if command.forward_from is None:
        return body_hash(content_json, command)
    rest = f"{command.reply_to_seq}|{command.thread_seq}|{' '.join(command.mentions)}"
    asked = f"forward|{command.forward_from[0]}|{command.forward_from[1]}|{rest}"
    return hashlib.blake2b(asked.encode(), digest_size=16).digest()


class ScheduledNotFoundError(DomainError):
    code, kind = "messaging.scheduled.not_found", Kind.NOT_FOUND
    title = "There is no such scheduled message, or it is sent"
