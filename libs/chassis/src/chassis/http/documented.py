"""Which refusals a route can give: those it declares, and those that follow from its plan."""

from __future__ import annotations

from typing import Final

from chassis import errors
from chassis.http.preconditions import PreconditionFailedError
from chassis.http.routes import Roles
from chassis.http.signature import Plan
from chassis.paging import CursorInvalidError
from chassis.tokens import RoleMissingError, TokenExpiredError, TokenInvalidError, TokenMissingError, TokenRevokedError
from kernel.errors import DomainError

_TOKEN_ERRORS: Final = (TokenMissingError, TokenInvalidError, TokenExpiredError, TokenRevokedError)
_ALWAYS: Final = (errors.QueryInvalidError, errors.InternalError, errors.UnavailableError)
_KEY_ERRORS: Final = (errors.HeaderMalformedError, errors.IdempotencyKeyReusedError, errors.IdempotencyInFlightError)

CHASSIS_ERRORS: Final[tuple[type[DomainError], ...]] = (
    *_TOKEN_ERRORS,
    *_ALWAYS,
    *_KEY_ERRORS,
    RoleMissingError,
    CursorInvalidError,
    PreconditionFailedError,
    errors.BodyMalformedError,
    errors.BodyInvalidError,
    errors.BodyTooLargeError,
    errors.MediaTypeError,
    errors.PathNotFoundError,
    errors.MethodNotAllowedError,
    errors.HttpMalformedError,
    errors.ExpectationError,
    errors.RateLimitedError,
    errors.IdempotencyKeyMissingError,
)


def errors_of(plan: Plan) -> list[type[DomainError]]:
    """Every refusal this route can give, its own first."""
    route = plan.route
    found: list[type[DomainError]] = [*route.errors, *_ALWAYS]
    if route.auth != "public":
        found += _TOKEN_ERRORS
    if isinstance(route.auth, Roles):
        found.append(RoleMissingError)
    if plan.path:
        found.append(errors.PathNotFoundError)
    if plan.query_model is not None and "cursor" in plan.query_model.model_fields:
        found.append(CursorInvalidError)
    if plan.has_body and (plan.body is not None or plan.body_raw or not plan.gives_request):
        found += _body_errors(plan)
    if plan.idempotency != "none":
        found += _KEY_ERRORS if plan.idempotency != "own" else (errors.HeaderMalformedError,)
    if plan.idempotency in {"required", "own"}:
        found.append(errors.IdempotencyKeyMissingError)
    if plan.if_match is not None:
        found.append(PreconditionFailedError)
    if route.limits:
        found.append(errors.RateLimitedError)
    return list(dict.fromkeys(found))


def _body_errors(plan: Plan) -> list[type[DomainError]]:
    if plan.body_raw:
        return [errors.BodyTooLargeError]
    if plan.body is None:
        return [errors.BodyTooLargeError, errors.BodyInvalidError]
    return [errors.BodyMalformedError, errors.BodyInvalidError, errors.BodyTooLargeError, errors.MediaTypeError]
