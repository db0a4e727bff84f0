"""The frames of the socket: what clients may send, and what the server says beside stored events.

Invariant: a client's frame is read as strictly as a request body; an unknown field or another type is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

import orjson
from pydantic import Field, ValidationError, model_validator

from chassis.errors import BodyInvalidError, RequestError
from chassis.http import Body
from chassis.http.fields import field_errors
from chassis.http.strict_json import load
from kernel.errors import DomainError, Kind
from messaging.core.domain.message import SendMessage
from messaging.core.entrypoints.schemas.messages import LaterSeq, SendMessageBody
from messaging.realtime.domain.websocket import text_frame

DIALOGS_MAX: Final = 1000
PRESENCE_MAX: Final = 200
TYPING_S: Final = 6
Ref = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
DialogIds = Annotated[list[UUID], Field(min_length=1, max_length=DIALOGS_MAX)]


class FrameUnreadableError(DomainError):
    code: ClassVar[str] = "messaging.realtime.frame_unreadable"
    kind: ClassVar[Kind] = Kind.MALFORMED
    title: ClassVar[str] = "Frames are JSON objects with a type"


class FrameUnknownError(DomainError):
    code: ClassVar[str] = "messaging.realtime.frame_unknown"
    kind: ClassVar[Kind] = Kind.MALFORMED
    title: ClassVar[str] = "There is no frame of this type"


class NotAuthenticatedError(DomainError):
    code: ClassVar[str] = "messaging.realtime.not_authenticated"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The first frame must be auth"


class OtherPersonError(DomainError):
    code: ClassVar[str] = "messaging.realtime.other_person"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    title: ClassVar[str] = "A connection belongs to one person"


class TicketInvalidError(DomainError):
    code: ClassVar[str] = "messaging.realtime.ticket_invalid"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The ticket is unknown, used or too old"


class NotWatchedError(DomainError):
    code: ClassVar[str] = "messaging.realtime.not_watched"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "This connection does not watch such a dialog"


class FrameLimitedError(DomainError):
    code: ClassVar[str] = "messaging.realtime.frames_limited"
    kind: ClassVar[Kind] = Kind.RATE_LIMITED
    title: ClassVar[str] = "Too many frames"


class Positions(Body):
    """The last seq the client has of each dialog, and of its account."""

    dialogs: Annotated[dict[UUID, LaterSeq], Field(default_factory=dict, max_length=DIALOGS_MAX)]
    account_seq: LaterSeq | None = None


class AuthFrame(Body):
    """The first frame; later again with a fresh token. ``resume``: where to go on, instead of from now."""

    type: Literal["auth"]
    ticket: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    token: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    resume: Positions | None = None
    ref: Ref | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> AuthFrame:
        if (self.ticket is None) == (self.token is None):
            raise ValueError("give ticket or token")
        return self


class ResumeFrame(Positions):
    type: Literal["resume"]
    ref: Ref | None = None


class SubscribeFrame(Body):
    type: Literal["subscribe"]
    dialog_ids: DialogIds
    ref: Ref | None = None


class UnsubscribeFrame(Body):
    type: Literal["unsubscribe"]
    dialog_ids: DialogIds
    ref: Ref | None = None


class SendFrame(SendMessageBody):
    """The body of POST /v1/dialogs/{dialog_id}/messages; the answer bears ``ref``."""

    type: Literal["send"]
    ref: Ref
    dialog_id: UUID

    def command(self, sender_id: UUID) -> SendMessage:
        return self.to_command(self.dialog_id, sender_id)


class AckFrame(Body):
    """How far the client has got in a dialog."""

    type: Literal["ack"]
    dialog_id: UUID
    delivered_seq: LaterSeq = 0
    read_seq: LaterSeq = 0
    ref: Ref | None = None


class TypingFrame(Body):
    type: Literal["typing"]
    dialog_id: UUID
    ref: Ref | None = None


class PresenceWatchFrame(Body):
    """Whose presence to tell from now on; replaces what was watched before."""

    type: Literal["presence.watch"]
    user_ids: Annotated[list[UUID], Field(max_length=PRESENCE_MAX)]
    ref: Ref | None = None


class PingFrame(Body):
    type: Literal["ping"]
    ref: Ref | None = None


ClientFrame = (
    AuthFrame
    | ResumeFrame
    | SubscribeFrame
    | UnsubscribeFrame
    | SendFrame
    | AckFrame
    | TypingFrame
    | PresenceWatchFrame
    | PingFrame
)
FRAMES: Final[Mapping[str, type[ClientFrame]]] = {
    "auth": AuthFrame,
    "resume": ResumeFrame,
    "subscribe": SubscribeFrame,
    "unsubscribe": UnsubscribeFrame,
    "send": SendFrame,
    "ack": AckFrame,
    "typing": TypingFrame,
    "presence.watch": PresenceWatchFrame,
    "ping": PingFrame,
}


def read_frame(raw: bytes) -> ClientFrame:
    """Raises ``FrameUnreadableError``, ``FrameUnknownError``, or ``RequestError`` with the fields at fault."""
    try:
        document = load(raw)
    except BodyInvalidError:
        raise
    except RequestError as error:
        raise FrameUnreadableError(error.detail) from None
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise FrameUnreadableError
    model = FRAMES.get(document["type"])
    if model is None:
        raise FrameUnknownError
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise BodyInvalidError("see errors for the fields at fault", errors=field_errors(error, document)) from None


def ref_of(raw: bytes) -> str | None:
    """The ``ref`` of a frame that could not be read as a whole, so that its sender knows which it was."""
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    ref = document.get("ref") if isinstance(document, dict) else None
    return ref if isinstance(ref, str) and 0 < len(ref) <= 64 else None


def server_frame(kind: str, **body: Any) -> bytes:
    """A frame that is not a stored event, as WebSocket bytes. Fields that are None are left out."""
    return text_frame(document(kind, **body))


def document(kind: str, **body: Any) -> bytes:
    """Its JSON text."""
    kept = {name: value for name, value in body.items() if value is not None}
    return orjson.dumps({"type": kind, **kept}, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def error_frame(error: DomainError, ref: str | None, client_message_id: UUID | None = None) -> bytes:
    """A refusal: the same code that HTTP has for it. ``client_message_id``: of the message that is refused."""
    fields = [
        {"pointer": each.pointer, "code": each.code, "detail": each.detail}
        for each in (error.errors if isinstance(error, RequestError) else ())
    ]
    if not fields and error.pointer is not None:
        fields = [{"pointer": error.pointer, "code": error.code, "detail": error.detail}]
    return server_frame(
        "error",
        ref=ref,
        client_message_id=client_message_id,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=fields or None,
        retry_after_s=error.retry_after_s,
        context=dict(error.context) or None,
    )
