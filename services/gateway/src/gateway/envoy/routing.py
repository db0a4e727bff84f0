"""Envoy's routes from the route table. Order matters: Envoy takes the first that matches.

Exact endpoints (public, waiting, WebSocket) stand before their owner's path; the portal comes after the API; a
last route answers 404 for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gateway.envoy.filters import body_limit, cors_policy, no_body_buffer, no_compression, no_token, security_headers
from gateway.envoy.typed import Json, header, seconds
from gateway.portal.files import CONTENT_SECURITY_POLICY, PortalFile
from gateway.settings import Settings
from gateway.table import Endpoint, RouteTable

PORTAL_BYTES_MAX: Final = 16 * 1024 * 1024


def route_configuration(table: RouteTable, settings: Settings, portal: Sequence[PortalFile]) -> Json:
    """The whole route configuration: one virtual host for every domain."""
    return {
        "name": "api",
        "max_direct_response_body_size_bytes": PORTAL_BYTES_MAX,
        "virtual_hosts": [
            {
                "name": "api",
                "domains": ["*"],
                "typed_per_filter_config": cors_policy(settings),
                "request_headers_to_remove": ["x-envoy-external-address"],
                "response_headers_to_add": security_headers(settings),
                "routes": [
                    _connect(),
                    *_websockets(table),
                    *_exact(table),
                    *_owners(table),
                    *_portal(portal),
                    {"name": "nothing", "match": {"prefix": "/"}, "direct_response": {"status": 404}}
                    | {"typed_per_filter_config": no_token()},
                ],
            }
        ],
    }


def _connect() -> Json:
    """A tunnel never ends its request, so nothing may wait for its body; Envoy refuses it at once then."""
    return {
        "name": "connect",
        "match": {"connect_matcher": {}},
        "direct_response": {"status": 403},
        "typed_per_filter_config": no_token() | no_body_buffer(),
    }


def _websockets(table: RouteTable) -> Iterator[Json]:
    for endpoint in table.websocket_endpoints:
        upgrade = {"name": "upgrade", "string_match": {"exact": "websocket", "ignore_case": True}}
        match = _match(endpoint)
        match["headers"].append(upgrade)
        yield {
            "name": f"websocket {endpoint.path}",
            "match": match,
            "route": {
                "cluster": table.owner_of(endpoint.path),
                "timeout": "0s",
                "idle_timeout": seconds(table.limits.websocket_idle_s),
                "upgrade_configs": [{"upgrade_type": "websocket", "enabled": True}],
            },
            "typed_per_filter_config": no_token() | no_body_buffer(),
        }


def _exact(table: RouteTable) -> Iterator[Json]:
    """Endpoints whose terms differ from their owner's."""
    public, waiting = set(table.public_endpoints), set(table.waiting_endpoints)
    for endpoint in sorted(public | waiting, key=str):
        route = _to_service(table, endpoint.path, str(endpoint), waiting=endpoint in waiting)
        route["match"] = _match(endpoint)
        if endpoint in public:
            route["typed_per_filter_config"] |= no_token()
        yield route


def _owners(table: RouteTable) -> Iterator[Json]:
    for path in sorted(table.owners, key=len, reverse=True):
        route = _to_service(table, path, path, waiting=False)
        route["match"] = {"path_separated_prefix": path}
        yield route


def _to_service(table: RouteTable, path: str, name: str, *, waiting: bool) -> Json:
    limits = table.limits
    timeout_s = limits.waiting_timeout_s if waiting else limits.timeout_s
    route: Json = {
        "name": name,
        "route": {
            "cluster": table.owner_of(path),
            "timeout": seconds(timeout_s),
            "idle_timeout": seconds(timeout_s + 5),
            "retry_policy": _safe_retries(),
        },
        "typed_per_filter_config": no_compression(),
    }
    larger = table.large_bodies.get(table.owner_path_of(path) or "")
    if larger is not None:
        route["typed_per_filter_config"] |= body_limit(larger)
    return route


def _safe_retries() -> Json:
    """Reading again is harmless; everything else is the client's to repeat, with its Idempotency-Key."""
    return {
        "retry_on": "connect-failure,refused-stream,reset",
        "num_retries": 2,
        "retriable_request_headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}],
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
    }


def _match(endpoint: Endpoint) -> Json:
    methods = "GET|HEAD" if endpoint.method == "GET" else endpoint.method
    method = {"name": ":method", "string_match": {"safe_regex": {"regex": methods}}}
    path: Json = {"safe_regex": {"regex": endpoint.regex}} if "{" in endpoint.path else {"path": endpoint.path}
    return {**path, "headers": [method]}


def _moved(path: str, location: str) -> Json:
    """A redirect on the same host. Envoy's own kind of redirect repeats whatever Host the client sent."""
    return {
        "name": f"portal {path}",
        "match": {"path": path, **_reading()},
        "direct_response": {"status": 302},
        "response_headers_to_add": [header("location", location)],
    }


def _reading() -> Json:
    return {"headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}]}


def _portal(files: Sequence[PortalFile]) -> Iterator[Json]:
    if not files:
        return
    yield _moved("/", "/docs/")
    yield _moved("/docs", "/docs/")
    yield _moved("/chat", "/chat/")
    for file in files:
        match: Json = {"prefix" if file.prefix else "path": file.url_path}
        yield {
            "name": f"portal {file.url_path}",
            "match": {**match, **_reading()},
            "direct_response": {"status": file.status, "body": {"filename": str(file.path)}},
            "response_headers_to_add": [
                header("content-type", file.media_type),
                header("content-security-policy", CONTENT_SECURITY_POLICY),
                header("cache-control", "no-cache" if not file.immutable else "public, max-age=86400"),
                header("x-frame-options", "DENY"),
            ],
        }
