"""The whole Envoy configuration, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.envoy.clusters import collector_cluster, service_cluster
from gateway.envoy.filters import http_filters
from gateway.envoy.problems import local_replies
from gateway.envoy.routing import route_configuration
from gateway.envoy.telemetry import COLLECTOR, access_log, tracing
from gateway.envoy.typed import Json, address, any_of, seconds, typed
from gateway.portal.files import PortalFile
from gateway.settings import Settings, Upstream
from gateway.table import RouteTable

CONNECTIONS_MAX: Final = 10_000
# An empty list would mean Envoy's default, which trusts what private addresses say of themselves.
NOBODY: Final = {"address_prefix": "255.255.255.255", "prefix_len": 32}
# Only the gateway and what is behind it may say these; a client's are dropped before anything reads them.
IDENTITY_PREFIXES: Final = ("x-user-", "x-internal-", "x-envoy-", "x-sampan-")
IDENTITY_HEADERS: Final = ("x-real-ip", "forwarded", "x-client-ip", "true-client-ip", "x-original-url", "x-rewrite-url")


def envoy_configuration(
    settings: Settings, table: RouteTable, upstreams: Sequence[Upstream], portal: Sequence[PortalFile]
) -> Json:
    """Everything Envoy needs to start."""
    services = [service_cluster(upstream) for upstream in upstreams]
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": {"address": address(settings.admin_host, settings.admin_port)},
        "static_resources": {
            "listeners": [_listener(settings, table, portal)],
            "clusters": [*services, collector_cluster(COLLECTOR, settings.otlp_endpoint)],
        },
        "overload_manager": {
            "resource_monitors": [
                typed(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=CONNECTIONS_MAX,
                )
            ]
        },
    }


def _listener(settings: Settings, table: RouteTable, portal: Sequence[PortalFile]) -> Json:
    chain: Json = {"filters": [_connection_manager(settings, table, portal)]}
    if settings.tls_certificate_file is not None:
        chain["transport_socket"] = _tls(settings)
    return {
        "name": "api",
        "address": address(settings.host, settings.port),
        "per_connection_buffer_limit_bytes": 1024 * 1024,
        "filter_chains": [chain],
    }


def _connection_manager(settings: Settings, table: RouteTable, portal: Sequence[PortalFile]) -> Json:
    limits = table.limits
    return typed(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="api",
        codec_type="AUTO",
        server_name="sampan",
        use_remote_address=True,
        xff_num_trusted_hops=settings.trusted_hops,
        internal_address_config={"cidr_ranges": [NOBODY]},
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        max_request_headers_kb=limits.header_kib_max,
        common_http_protocol_options={
            "max_headers_count": limits.headers_max,
            "headers_with_underscores_action": "REJECT_REQUEST",
            "idle_timeout": "75s",
        },
        http2_protocol_options={
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
        request_headers_timeout="10s",
        request_timeout="30s",
        stream_idle_timeout="60s",
        drain_timeout=seconds(settings.drain_s),
        delayed_close_timeout="1s",
        always_set_request_id_in_response=True,
        request_id_extension={
            "typed_config": any_of("extensions.request_id.uuid.v3.UuidRequestIdConfig", pack_trace_reason=False)
        },
        early_header_mutation_extensions=[_drop_claims_of_identity(settings)],
        upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}],  # each route says so itself
        local_reply_config=local_replies(),
        tracing=tracing(settings),
        access_log=[access_log(settings)],
        route_config=route_configuration(table, settings, portal),
        http_filters=http_filters(settings, limits),
    )


def _drop_claims_of_identity(settings: Settings) -> Json:
    prefixes = list(IDENTITY_PREFIXES)
    if settings.trusted_hops == 0:
        prefixes.append("x-forwarded-")
    return typed(
        "envoy.http.early_header_mutation.header_mutation",
        "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        mutations=[
            *({"remove": name} for name in IDENTITY_HEADERS),
            *({"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}} for prefix in prefixes),
        ],
    )


def _tls(settings: Settings) -> Json:
    certificate = {
        "certificate_chain": {"filename": str(settings.tls_certificate_file)},
        "private_key": {"filename": str(settings.tls_key_file)},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": any_of(
            "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [certificate],
            },
        ),
    }
