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
HEADERS: Final[dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Id of this request; quote it when you ask for help.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where the object is.", "schema": {"type": "string", "format": "uri-reference"}},
    "Idempotency-Replayed": {
        "description": "`true` when this is the stored answer of an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit": {
        "description": 'What is left, e.g. `"orders";r=12;t=33`: 12 requests, more in 33 s.',
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'The limit, e.g. `"orders";q=30;w=60`: 30 requests in 60 s.',
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "WWW-Authenticate": {"description": "RFC 6750.", "required": True, "schema": {"type": "string"}},
}
_KEY_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]+$"}
_KEY_DESCRIPTION: Final = (
    "A fresh UUID for each new request, the same one for each retry of it: the stored answer is given again."
)
PARAMETERS: Final[dict[str, Any]] = {
    "IdempotencyKeyRequired": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": _KEY_DESCRIPTION,
        "schema": _KEY_SCHEMA,
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": _KEY_DESCRIPTION,
        "schema": _KEY_SCHEMA,
    },
    "IfMatchRequired": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag of the version you edit.",
        "schema": {"type": "string"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the version you edit; without it, whatever is there now is edited.",
        "schema": {"type": "string"},
    },
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "Language of titles and texts: th, id, ms, vi or en.",
        "schema": {"type": "string"},
    },
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
