"""Envoy's own answers as RFC 9457 problems, with the codes that services use for the same situations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.envoy.typed import Json, any_of, header

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "/docs/problems/"
_CEL: Final = "extensions.access_loggers.filters.cel.v3.ExpressionFilter"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayProblem:
    """One answer of the gateway itself.

    ``when`` is a CEL expression over the response's details; empty matches the status alone. ``seen_as`` is the
    status Envoy had chosen, where it differs from the one that is answered.
    """

    status: int
    code: str
    title: str
    detail: str
    when: str = ""
    seen_as: int | None = None
    retry_after_s: int | None = None


PROBLEMS: Final = (
    GatewayProblem(
        status=400,
        code="request.http.malformed",
        title="The request is not readable",
        detail="The request line or a header is not valid HTTP.",
    ),
    GatewayProblem(
        status=401,
        code="auth.token.missing",
        title="Sign in first",
        detail="Send an access token: Authorization: Bearer …",
        when="response.code_details.contains('Jwt_is_missing')",
    ),
    GatewayProblem(
        status=401,
        code="auth.token.expired",
        title="The access token has expired",
        detail="Get a new access token with POST /v1/sessions/refresh.",
        when="response.code_details.contains('Jwt_is_expired')",
    ),
    GatewayProblem(
        status=401,
        code="auth.token.invalid",
        title="The access token is not valid",
        detail="The token is not one that this API issued.",
    ),
    GatewayProblem(
        status=401,
        seen_as=403,
        code="auth.token.invalid",
        title="The access token is not valid",
        detail="The token was issued for another audience.",
        when="response.code_details.contains('jwt_authn')",
    ),
    GatewayProblem(
        status=405,
        seen_as=403,
        code="request.method.not_allowed",
        title="This method is not allowed here",
        detail="The gateway opens no tunnels.",
        when="request.method == 'CONNECT'",
    ),
    GatewayProblem(
        status=403,
        code="request.origin.forbidden",
        title="Not allowed",
        detail="The gateway does not let this request through.",
    ),
    GatewayProblem(
        status=404,
        code="request.path.not_found",
        title="There is nothing here",
        detail="No route of this API has this path.",
    ),
    GatewayProblem(
        status=408,
        code="request.body.timeout",
        title="The request took too long to arrive",
        detail="Send the whole request within 30 s.",
    ),
    GatewayProblem(
        status=413,
        code="request.body.too_large",
        title="The body is too large",
        detail="Send at most 1 MiB, unless the route says otherwise.",
    ),
    GatewayProblem(
        status=417,
        code="request.expectation.unsupported",
        title="This expectation is not supported",
        detail="The only expectation that is met is 100-continue.",
    ),
    GatewayProblem(
        status=426,
        code="request.http.version",
        title="Another version of HTTP is needed",
        detail="Speak HTTP/1.1 or HTTP/2.",
    ),
    GatewayProblem(
        status=429,
        code="request.rate.limited",
        title="Too many requests",
        detail="Slow down and try again.",
        retry_after_s=1,
    ),
    GatewayProblem(
        status=431,
        code="request.headers.too_large",
        title="The headers are too large",
        detail="Send fewer or shorter headers.",
    ),
    GatewayProblem(
        status=501,
        code="request.http.unsupported",
        title="This part of HTTP is not supported",
        detail="Send the body with a Content-Length, or chunked.",
    ),
    GatewayProblem(
        status=502,
        code="service.unreadable",
        title="The service answered nonsense",
        detail="The service behind the gateway broke off or broke the protocol. The request may have been carried out.",
    ),
    GatewayProblem(
        status=503,
        code="service.unavailable",
        title="Not available right now",
        detail="The service does not answer. Try again; with an Idempotency-Key nothing is done twice.",
        retry_after_s=2,
    ),
    GatewayProblem(
        status=504,
        code="service.timeout",
        title="The service took too long",
        detail="The request may have been carried out. Try again with the same Idempotency-Key.",
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
