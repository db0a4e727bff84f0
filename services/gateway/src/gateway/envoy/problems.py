"""Envoy's own answers as RFC 9457 problems, with the codes that services use for the same situations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Final

from gateway.envoy.typed import Json, any_of, header

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "/docs/problems/"
_CEL: Final = "extensions.access_loggers.filters.cel.v3.ExpressionFilter"


@dataclass(frozen=True, slots=True)
class GatewayProblem:
    """One answer of the gateway itself.

    ``when`` is a CEL expression over the response's details; empty matches the status alone. ``seen_as`` is the
    status Envoy had chosen, where it differs from the one that is answered.
    """

    status: int
    code: str
    title: str
    detail: str
    _: KW_ONLY
    when: str = ""
    seen_as: int | None = None
    retry_after_s: int | None = None


PROBLEMS: Final = (
    GatewayProblem(
        400, "request.http.malformed", "The request is not readable", "The request line or a header is not valid HTTP."
    ),
    GatewayProblem(
        401,
        "auth.token.missing",
        "Sign in first",
        "Send an access token: Authorization: Bearer …",
        when="response.code_details.contains('Jwt_is_missing')",
    ),
    GatewayProblem(
        401,
        "auth.token.expired",
        "The access token has expired",
        "Get a new access token with POST /v1/sessions/refresh.",
        when="response.code_details.contains('Jwt_is_expired')",
    ),
    GatewayProblem(
        401, "auth.token.invalid", "The access token is not valid", "The token is not one that this API issued."
    ),
    GatewayProblem(
        401,
        "auth.token.invalid",
        "The access token is not valid",
        "The token was issued for another audience.",
        seen_as=403,
        when="response.code_details.contains('jwt_authn')",
    ),
    GatewayProblem(
        405,
        "request.method.not_allowed",
        "This method is not allowed here",
        "The gateway opens no tunnels.",
        seen_as=403,
        when="request.method == 'CONNECT'",
    ),
    GatewayProblem(403, "request.origin.forbidden", "Not allowed", "The gateway does not let this request through."),
    GatewayProblem(404, "request.path.not_found", "There is nothing here", "No route of this API has this path."),
    GatewayProblem(
        408, "request.body.timeout", "The request took too long to arrive", "Send the whole request within 30 s."
    ),
    GatewayProblem(
        413, "request.body.too_large", "The body is too large", "Send at most 1 MiB, unless the route says otherwise."
    ),
    GatewayProblem(
        417,
        "request.expectation.unsupported",
        "This expectation is not supported",
        "The only expectation that is met is 100-continue.",
    ),
    GatewayProblem(426, "request.http.version", "Another version of HTTP is needed", "Speak HTTP/1.1 or HTTP/2."),
    GatewayProblem(429, "request.rate.limited", "Too many requests", "Slow down and try again.", retry_after_s=1),
    GatewayProblem(431, "request.headers.too_large", "The headers are too large", "Send fewer or shorter headers."),
    GatewayProblem(
        501,
        "request.http.unsupported",
        "This part of HTTP is not supported",
        "Send the body with a Content-Length, or chunked.",
    ),
    GatewayProblem(
        502,
        "service.unreadable",
        "The service answered nonsense",
        "The service behind the gateway broke off or broke the protocol. The request may have been carried out.",
    ),
    GatewayProblem(
        503,
        "service.unavailable",
        "Not available right now",
        "The service does not answer. Try again; with an Idempotency-Key nothing is done twice.",
        retry_after_s=2,
    ),
    GatewayProblem(
        504,
        "service.timeout",
        "The service took too long",
        "The request may have been carried out. Try again with the same Idempotency-Key.",
        retry_after_s=2,
    ),
)


def local_replies() -> Json:
    """``local_reply_config``: the first mapper that matches wins, so the narrower ones stand first."""
    return {"mappers": [_mapper(problem) for problem in PROBLEMS]}


def codes() -> Iterator[GatewayProblem]:
    """Each code once."""
    seen: set[str] = set()
    for problem in PROBLEMS:
        if problem.code not in seen:
            seen.add(problem.code)
            yield problem


def _mapper(problem: GatewayProblem) -> Json:
    mapper: Json = {
        "filter": _filter(problem),
        "status_code": problem.status,
        "body_format_override": {
            "json_format": {
                "type": f"{TYPE_BASE}{problem.code}",
                "title": problem.title,
                "status": problem.status,
                "code": problem.code,
                "detail": problem.detail,
                "request_id": "%REQ(X-REQUEST-ID)%",
            },
            "content_type": MEDIA_TYPE,
        },
        "headers_to_add": [header("cache-control", "no-store")],
    }
    if problem.retry_after_s is not None:
        mapper["headers_to_add"].append(header("retry-after", str(problem.retry_after_s)))
    return mapper


def _filter(problem: GatewayProblem) -> Json:
    status = problem.seen_as or problem.status
    by_status: Json = {
        "status_code_filter": {
            "comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": "local_reply.status"}}
        }
    }
    if not problem.when:
        return by_status
    by_details = {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": any_of(_CEL, expression=problem.when),
        }
    }
    return {"and_filter": {"filters": [by_status, by_details]}}
