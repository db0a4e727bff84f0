"""Refusals that the chassis itself makes, each with its stable code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from kernel.errors import DomainError, Kind
from kernel.reasons import Reason


class FieldCode(Reason):
    """What can be wrong with a field, whatever it means."""

    MISSING = "field.missing"
    UNKNOWN = "field.unknown"
    GIVEN_TWICE = "field.given_twice"
    WRONG_TYPE = "field.wrong_type"
    MALFORMED = "field.malformed"
    TOO_LONG = "field.too_long"
    TOO_SHORT = "field.too_short"
    OUT_OF_RANGE = "field.out_of_range"
    NOT_ALLOWED = "field.not_allowed"
    INVALID = "field.invalid"
    TEXT_REFUSED = "field.text.refused"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its JSON Pointer, a code, a sentence."""

    pointer: str
    code: str
    detail: str


class RequestError(DomainError):
    """A request that cannot be handed to its handler. ``status`` wins over the kind's."""

    status: ClassVar[int] = 400

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.errors = tuple(errors)
        self.headers: Mapping[str, str] = headers or {}


class BodyMalformedError(RequestError):
    code, kind, status = "request.body.malformed", Kind.MALFORMED, 400
    title = "The request body cannot be read"


class BodyInvalidError(RequestError):
    code, kind, status = "request.body.invalid", Kind.INVALID, 422
    title = "The request body is not as expected"


class QueryInvalidError(RequestError):
    code, kind, status = "request.query.invalid", Kind.INVALID, 422
    title = "A query parameter is not as expected"


class HeaderMalformedError(RequestError):
    code, kind, status = "request.header.malformed", Kind.MALFORMED, 400
    title = "A request header cannot be read"


class HttpMalformedError(RequestError):
    code, kind, status = "request.http.malformed", Kind.MALFORMED, 400
    title = "The request is not readable"


class ExpectationError(RequestError):
    code, kind, status = "request.expectation.unsupported", Kind.MALFORMED, 417
    title = "This expectation is not supported"


class PathNotFoundError(RequestError):
    code, kind, status = "request.path.not_found", Kind.NOT_FOUND, 404
    title = "There is nothing here"


class MethodNotAllowedError(RequestError):
    code, kind, status = "request.method.not_allowed", Kind.MALFORMED, 405
    title = "This method is not allowed here"


class BodyTooLargeError(RequestError):
    code, kind, status = "request.body.too_large", Kind.MALFORMED, 413
    title = "The request body is too large"


class MediaTypeError(RequestError):
    code, kind, status = "request.media_type.unsupported", Kind.MALFORMED, 415
    title = "This content type is not supported"


class RateLimitedError(RequestError):
    code, kind, status = "request.rate.limited", Kind.RATE_LIMITED, 429
    title = "Too many requests"


class IdempotencyKeyMissingError(RequestError):
    code, kind, status = "idempotency_key_missing", Kind.MALFORMED, 400
    title = "An Idempotency-Key header is required"


class IdempotencyKeyReusedError(RequestError):
    code, kind, status = "idempotency_key_reused", Kind.INVALID, 422
    title = "This Idempotency-Key was used for another request"


class IdempotencyInFlightError(RequestError):
    code, kind, status = "idempotency_in_flight", Kind.CONFLICT, 409
    title = "The first request with this Idempotency-Key is still running"


class InternalError(RequestError):
    code, kind, status = "internal.error", Kind.UNAVAILABLE, 500
    title = "Something went wrong on our side"


class UnavailableError(RequestError):
    code, kind, status = "service.unavailable", Kind.UNAVAILABLE, 503
    title = "Try again in a moment"
