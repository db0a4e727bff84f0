"""One OpenAPI 3.1 document out of the services' own.

Invariant: the merged document tells the truth about the gateway: every operation in it is routed to the service
that described it, and is public there exactly when it is public here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.table import METHODS, RouteTable

Document = dict[str, Any]
INFO = {
    "title": "Sampan API",
    "version": "1",
    "description": "One API for chat, shops, wallets and events. "
    "Money is in integer minor units; lists page by cursor; errors are problem+json with a stable code.",
}


class ServiceDocumentError(GatewayError):
    """A service could not describe itself, or described what the gateway does not route."""


def service_document(service: str) -> Document:
    """What ``python -m <service> openapi`` prints. Raises ``ServiceDocumentError``."""
    command = [sys.executable, "-m", service, "openapi"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own services
    if result.returncode != 0:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise ServiceDocumentError(f"python -m {service} openapi failed: {last}")
    document: Document = json.loads(result.stdout)
    return document


def merge(documents: Mapping[str, Document], table: RouteTable) -> Document:
    """The documents of all services as one. Raises ``ServiceDocumentError`` when one lies about its routes."""
    merged: Document = {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {},
        "x-problem-titles": {},
    }
    for service, document in documents.items():
        own = _with_own_names(service, document, merged["components"])
        for path, item in own.get("paths", {}).items():
            if path == "/openapi.json":
                continue
            if path in merged["paths"]:
                raise ServiceDocumentError(f"{path} is described by {service} and by another service")
            merged["paths"][path] = {method: _owned(service, part) for method, part in item.items()}
        for kind, parts in own.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(parts)
        merged["x-problem-titles"].update(own.get("x-problem-titles", {}))
        merged["tags"] += [tag for tag in own.get("tags", []) if tag not in merged["tags"]]
    for part in ("paths", "x-problem-titles"):
        merged[part] = dict(sorted(merged[part].items()))
    faults = list(disagreements(merged, table))
    if faults:
        raise ServiceDocumentError("; ".join(faults))
    return merged


def disagreements(merged: Document, table: RouteTable) -> Iterator[str]:
    """Where the document and the route table differ, one sentence each."""
    described: set[tuple[str, str]] = set()
    for path, item in merged["paths"].items():
        for method in METHODS & {name.upper() for name in item}:
            operation = item[method.lower()]
            service, owner = operation["x-service"], table.owner_of(path)
            if owner != service:
                yield f"{method} {path} is answered by {service}, but the gateway routes it to {owner or 'nobody'}"
            needs_token = _needs_token(operation, merged)
            if table.is_public(method, path) == needs_token:
                here, there = ("public", "needs a token") if needs_token else ("needs a token", "public")
                yield f"{method} {path}: service.toml says {here}, the service says {there}"
            if table.is_waiting(method, path) != _waits(operation):
                here, there = ("does not wait", "wait_s") if _waits(operation) else ("waits", "no wait_s")
                yield f"{method} {path}: service.toml says {here}, the service says {there}"
            described.add((method, path))
    for endpoint in (*table.public_endpoints, *table.waiting_endpoints):
        if not any(method == endpoint.method and _same(path, endpoint.path) for method, path in described):
            yield f"{endpoint} is listed in a service.toml, but no service answers it"


def _needs_token(operation: Document, merged: Document) -> bool:
    security: Any = operation.get("security", merged.get("security", []))
    return bool(security) and {} not in security


def _waits(operation: Document) -> bool:
    return any(parameter.get("name") == "wait_s" for parameter in operation.get("parameters", []))


def _same(path: str, template: str) -> bool:
    first, second = path.split("/"), template.split("/")
    return len(first) == len(second) and all(
        a == b or (a.startswith("{") and b.startswith("{")) for a, b in zip(first, second, strict=True)
    )


def _owned(service: str, part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    # Two services may name a handler alike; the ids of one document must differ, and stay what they are.
    named = {"operationId": f"{service}_{part['operationId']}"} if "operationId" in part else {}
    return {**part, **named, "x-service": service}


def _with_own_names(service: str, document: Document, taken: Document) -> Document:
    """The document with components renamed where another service means something else by the same name."""
    renamed: dict[str, str] = {}
    for kind, parts in document.get("components", {}).items():
        for name, part in parts.items():
            other = taken.get(kind, {}).get(name)
            if other is not None and other != part:
                renamed[f"#/components/{kind}/{name}"] = f"#/components/{kind}/{service.title()}{name}"
    if not renamed:
        return _with_security(document)
    return _with_security(_rename(document, renamed))


def _with_security(document: Document) -> Document:
    """Security of the whole document written on each operation, so that merging keeps it."""
    general = document.get("security")
    if general is None:
        return document
    paths = {
        path: {
            method: {"security": general, **operation} if method.upper() in METHODS else operation
            for method, operation in item.items()
        }
        for path, item in document.get("paths", {}).items()
    }
    return {**document, "paths": paths}


def _rename(document: Document, renamed: Mapping[str, str]) -> Document:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: _reference(key, part) if isinstance(part, str) else walk(part) for key, part in value.items()}
        return [walk(part) for part in value] if isinstance(value, list) else value

    def _reference(key: str, text: str) -> str:
        return renamed.get(text, text) if key == "$ref" or text.startswith("#/components/") else text

    walked: Document = walk(document)
    for old, new in renamed.items():
        _, _, kind, name = old.split("/")
        walked["components"][kind][new.rpartition("/")[2]] = walked["components"][kind].pop(name)
    return walked
