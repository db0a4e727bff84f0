"""Reads request bodies into pydantic models.

Invariant: what a handler gets is exactly what the client meant: no value coerced from another type, no unknown
field. Nothing is read past the limit.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from chassis.errors import BodyInvalidError, BodyTooLargeError, FieldCode, FieldError, MediaTypeError
from chassis.http.fields import field_errors
from chassis.http.strict_json import load

ModelT = TypeVar("ModelT", bound=BaseModel)

_MEDIA_TYPE: Final = re.compile(
    r"application/(?:json|(?:[\w.-]+\+)json)\s*(?:;\s*charset=\"?utf-8\"?\s*)?", re.IGNORECASE
)


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """The raw body. Raises ``BodyTooLargeError`` as soon as the limit is passed, by its length or while reading,
    and ``MediaTypeError`` when it is compressed.
    """
    encoding = request.headers.get("Content-Encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        raise MediaTypeError("send the body without a Content-Encoding", headers={"Accept-Encoding": "identity"})
    length = request.content_length
    if length is not None and length > bytes_max:
        raise BodyTooLargeError(f"the body may have at most {bytes_max} bytes")
    content = request.content
    if content.at_eof():
        return b""
    first = await content.readany()
    if content.at_eof() and len(first) <= bytes_max:
        return first
    chunks, size = [first], len(first)
    while size <= bytes_max:
        chunk = await content.readany()
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
    raise BodyTooLargeError(f"the body may have at most {bytes_max} bytes")


def parse_body(model: type[ModelT], content_type: str | None, raw: bytes) -> tuple[ModelT, Any]:
    """The body as a model, and as plain JSON. Raises ``RequestError`` of some kind."""
    if content_type != "application/json" and not _MEDIA_TYPE.fullmatch(content_type or ""):
        raise MediaTypeError("send application/json in UTF-8")
    document = load(raw)
    try:
        return model.__pydantic_validator__.validate_json(raw, strict=True), document
    except ValidationError as error:
        raise BodyInvalidError("see errors for the fields at fault", errors=field_errors(error, document)) from None


def check_no_body(raw: bytes) -> None:
    """A route without a body takes nothing, or an empty object. Raises ``BodyInvalidError``."""
    if raw and raw.strip() not in {b"{}", b""}:
        raise BodyInvalidError("this route takes no body", errors=[FieldError("", FieldCode.UNKNOWN, "send no body")])
