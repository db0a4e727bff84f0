"""Where requests go: one cluster per service, with its limits, health and ejection.

A service's keep-alive must outlive ``IDLE_S``, or a request may meet a connection that is just being closed.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from gateway.envoy.typed import Json, address, any_of, seconds
from gateway.settings import Upstream

CONNECT_TIMEOUT_S: Final = 1.0
IDLE_S: Final = 30
HTTP_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def service_cluster(upstream: Upstream) -> Json:
    """The cluster of one service."""
    endpoint = {
        "address": address(upstream.host, upstream.port),
        "health_check_config": {"port_value": upstream.ops_port},
    }
    return {
        **_cluster(upstream.name, endpoint),
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "typed_extension_protocol_options": {HTTP_OPTIONS: _http1(IDLE_S)},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 512,
                    "max_pending_requests": 512,
                    "max_requests": 1024,
                    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3},
                    "track_remaining": True,
                }
            ]
        },
        "health_checks": [_ready_check()],
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_5xx": 0,  # a 500 is an answer; only a replica that cannot answer is ejected
            "consecutive_gateway_failure": 5,
            "consecutive_local_origin_failure": 5,
            "enforcing_consecutive_gateway_failure": 100,
            "interval": "5s",
            "base_ejection_time": "10s",
            "max_ejection_percent": 50,  # of one replica that is none: better a try than nothing
        },
    }


def collector_cluster(name: str, endpoint_url: str | None) -> Json:
    """The cluster of the OpenTelemetry collector; without one, a cluster of nobody."""
    if endpoint_url is None:
        return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name}}
    parts = urlsplit(endpoint_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    cluster = _cluster(name, {"address": address(parts.hostname or "", port)})
    if parts.scheme == "https":
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": any_of(
                "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                sni=parts.hostname,
                common_tls_context={"validation_context": {"system_root_certs": {}}},
            ),
        }
    return cluster


def _cluster(name: str, endpoint: Json) -> Json:
    return {
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": seconds(CONNECT_TIMEOUT_S),
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]},
    }


def _http1(idle_s: int) -> Json:
    return any_of(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        common_http_protocol_options={"idle_timeout": seconds(idle_s), "max_headers_count": 200},
        explicit_http_config={"http_protocol_options": {}},
    )


def _ready_check() -> Json:
    return {
        "timeout": "2s",
        "interval": "3s",
        "no_traffic_interval": "3s",
        "initial_jitter": "0.1s",
        "interval_jitter": "0.5s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/readyz"},
        "always_log_health_check_failures": False,
    }
