"""Parts that every service's OpenAPI document shares: the problem, headers, parameters, the security scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

REASONS: Final = {status.value: status.phrase for status in HTTPStatus}

# An empty schema and not `true`: both take anything, but not every tool knows the latter.
ANYTHING: Final[dict[str, Any]] = {}
FIELD_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is wrong with one field or parameter.",
    "required": ["pointer", "code", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901) into the body, or /name of a parameter"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `code` is stable; `title` is in the language of Accept-Language.",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": ["string", "null"]},  # null: the gateway could not read the request
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
        "context": {"type": "object", "description": "More facts about this code, for programs."},
    },
}
ACCESS_TOKEN: Final[dict[str, Any]] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of auth: ES256, 15 minutes.",
}


def _header(description: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    always = {"required": True} if required else {}
    return {"description": description, **always, "schema": {"type": "string", **schema}}


def _parameter(name: str, description: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    place = {"name": name, "in": "header", "required": required}
    return {**place, "description": description, "schema": {"type": "string", **schema}}


HEADERS: Final[dict[str, Any]] = {
    "X-Request-Id": _header("Id of this request; quote it when you ask for help.", required=True),
    "Location": _header("Where the object is.", format="uri-reference"),
    "Idempotency-Replayed": _header(
        "`true` when this is the stored answer of an earlier request with the same key.", const="true"
    ),
    "RateLimit": _header('What is left, e.g. `"orders";r=12;t=33`: 12 requests, more in 33 s.'),
    "RateLimit-Policy": _header('The limit, e.g. `"orders";q=30;w=60`: 30 requests in 60 s.'),
    "Retry-After": _header("Seconds to wait before trying again.", required=True, pattern="^[0-9]+$"),
    "WWW-Authenticate": _header("RFC 6750.", required=True),
}
_KEY: Final[dict[str, Any]] = {"minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]+$"}
_KEY_ABOUT: Final = (
    "A fresh UUID for each new request, the same one for each retry of it: the stored answer is given again."
)
_EDITED: Final = "The ETag of the version you edit"
PARAMETERS: Final[dict[str, Any]] = {
    "IdempotencyKeyRequired": _parameter("Idempotency-Key", _KEY_ABOUT, required=True, **_KEY),
    "IdempotencyKey": _parameter("Idempotency-Key", _KEY_ABOUT, **_KEY),
    "IfMatchRequired": _parameter("If-Match", f"{_EDITED}.", required=True),
    "IfMatch": _parameter("If-Match", f"{_EDITED}; without it, whatever is there now is edited."),
    "AcceptLanguage": _parameter("Accept-Language", "Language of titles and texts: th, id, ms, vi or en."),
}


def header_refs(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def path_schema(kind: type) -> dict[str, Any]:
    """JSON Schema of a path parameter."""
    if kind is UUID:
        return {"type": "string", "format": "uuid"}
    if kind is int:
        return {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
    if issubclass(kind, Enum):
        return {"type": "string", "enum": [str(member.value) for member in kind]}
    return {"type": "string", "minLength": 1, "maxLength": 256}


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter is absent, never null: ``X | None`` is documented as ``X``."""
    members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
    if len(members) != 1 or len(members) == len(schema.get("anyOf", ())):
        return dict(schema)
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**members[0], **rest, **({"default": schema["default"]} if schema.get("default") is not None else {})}
