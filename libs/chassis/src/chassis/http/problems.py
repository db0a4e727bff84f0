"""Refusals as ``application/problem+json`` (RFC 9457).

Invariant: an answer tells a stable code and what the client can do, never a stack trace, SQL, or the value sent.
"""

from __future__ import annotations

import math
from typing import Any, Final

import orjson
import structlog
from aiohttp import web

from chassis.errors import BodyTooLargeError, FieldError, InternalError, RequestError, UnavailableError
from chassis.http.answers import PROBLEM, Answer
from chassis.http.languages import reading_language
from chassis.http.titles import Titles, titles_of
from chassis.idempotency import REPLAYED_HEADER
from chassis.outages import is_outage
from kernel.errors import DomainError, Kind

log = structlog.get_logger()

STATUSES: Final = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION: 412,
    Kind.INVALID: 422,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}
TYPE_PREFIX: Final = "/docs/problems/"
_RETRY_AFTER_S: Final = 1.0


def status_of(error: DomainError | type[DomainError]) -> int:
    """The HTTP status that a refusal is told with."""
    kind = error if isinstance(error, type) else type(error)
    return kind.status if issubclass(kind, RequestError) else STATUSES[error.kind]


class Problems:
    """Renders refusals of one service."""

    def __init__(self, titles: Titles | None = None) -> None:
        self._titles: Titles = titles or {}

    def render(self, error: DomainError, request: web.BaseRequest, *, request_id: str) -> Answer:
        """The answer for one refusal."""
        status, language = status_of(error), reading_language(request)
        title = self._titles.get(error.code, {}).get(language) or titles_of(type(error)).get(language)
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + error.code,
            "title": title or error.title,
            "status": status,
            "code": error.code,
            "detail": error.detail,
            "request_id": request_id,
        }
        fields = _fields(error)
        if fields:
            document["errors"] = fields
        if error.context:
            document["context"] = dict(error.context)
        headers = {"Content-Language": language if title else "en"}
        headers.update(_headers(error, status))
        if error.replayed:
            headers[REPLAYED_HEADER] = "true"
        if isinstance(error, RequestError):
            headers.update(error.headers)
        return Answer(status, orjson.dumps(document, default=str), PROBLEM, headers)


def refusal_of(error: Exception) -> DomainError:
    """What the client is told about any exception a handler let out."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return BodyTooLargeError("the body is larger than this route takes")
    if is_outage(error):
        log.warning("request.unavailable", exc_info=error)
        return UnavailableError("a part this depends on did not answer; try again", retry_after_s=_RETRY_AFTER_S)
    log.error("request.failed", exc_info=error)
    return InternalError("the request was not carried out; tell us its request_id")


def _fields(error: DomainError) -> list[dict[str, str]]:
    found: tuple[FieldError, ...] = error.errors if isinstance(error, RequestError) else ()
    if not found and error.pointer is not None:
        found = (FieldError(error.pointer, error.code, error.detail),)
    return [{"pointer": each.pointer, "code": each.code, "detail": each.detail} for each in found]


def _headers(error: DomainError, status: int) -> dict[str, str]:
    if status == 401:
        reason = "" if error.code == "auth.token.missing" else ', error="invalid_token"'
        return {"WWW-Authenticate": f'Bearer realm="sampan"{reason}'}
    if status in {429, 503} or error.retry_after_s is not None:
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s or _RETRY_AFTER_S)))}
    return {}
