"""How frames are read and written, and the two that every client says: ``auth`` and ``ping``.

Invariant: a client's frame is read as strictly as a request body; an unknown field or another type is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import Field, ValidationError, model_validator

from chassis.errors import BodyInvalidError, RequestError
from chassis.http import Body
from chassis.http.fields import field_errors
from chassis.http.strict_json import load
from kernel.errors import DomainError
from messaging.realtime.domain.refusals import FrameUnknownError, FrameUnreadableError
from messaging.realtime.domain.websocket import text_frame

AUTH: Final = "auth"
PING: Final = "ping"
Ref = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Resume = TypeVar("Resume", bound=Body)


class AuthFrame(Body, Generic[Resume]):
    """The first frame; later again with a fresh token. ``resume``: where to go on, instead of from now."""

    type: Literal["auth"]
    ticket: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    token: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    resume: Resume | None = None
    ref: Ref | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> AuthFrame[Resume]:
        if (self.ticket is None) == (self.token is None):
            raise ValueError("give ticket or token")
        return self


class PingFrame(Body):
    type: Literal["ping"]
    ref: Ref | None = None


def read_frame(raw: bytes, models: Mapping[str, type[Body]]) -> tuple[str, Any]:
    """Its type, and the frame as its model of ``models``.

    Raises ``FrameUnreadableError``, ``FrameUnknownError``, or ``RequestError`` with the fields at fault.
    """
    try:
        document = load(raw)
    except BodyInvalidError:
        raise
    except RequestError as error:
        raise FrameUnreadableError(error.detail) from None
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(kind, str):
        raise FrameUnreadableError
    model = models.get(kind)
    if model is None:
        raise FrameUnknownError
    try:
        return kind, model.model_validate_json(raw, strict=True)
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
    """A refusal: the same code that HTTP has for it. ``client_message_id``: where the client sent one."""
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
