"""What the gateway tells about requests: one JSON line each, and traces.

Invariant: no token, query string or body is ever logged; a query may hold what a person typed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from gateway.envoy.typed import Json, any_of, typed
from gateway.settings import Settings

COLLECTOR = "otel_collector"
_SAMPLERS = "extensions.tracers.opentelemetry.samplers.v3"


def access_log(settings: Settings) -> Json:
    """One line per request, as the last byte leaves."""
    fields = {
        "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "service": "gateway",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "trace_id": "%TRACE_ID%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ)%",
        "route": "%ROUTE_NAME%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "duration_ms": "%DURATION%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "upstream_ms": "%RESPONSE_DURATION%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "user_agent": "%REQ(USER-AGENT)%",
    }
    return typed(
        "envoy.access_loggers.file",
        "extensions.access_loggers.file.v3.FileAccessLog",
        path=settings.access_log_file,
        log_format={"json_format": fields, "omit_empty_values": False},
    )


def tracing(settings: Settings) -> Json:
    """Continues the client's trace or begins one, so that logs of one request meet. Spans go to the collector.

    A traceparent says whether it is traced; for the others, ``trace_percent`` does. Envoy's own decision
    (``random_sampling``) overrules a traceparent, so it is always yes and the sampler decides. Envoy's tracer insists
    on an exporter: without a collector nothing is sampled, and its cluster is empty.
    """
    parts = urlsplit(settings.otlp_endpoint or "http://nowhere")
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    exporter = {"http_uri": {"uri": f"{base}/v1/traces", "cluster": COLLECTOR, "timeout": "2s"}}
    config: dict[str, Any] = {"service_name": "gateway", "http_service": exporter}
    if settings.otlp_endpoint:
        config["sampler"] = _parent_based(settings.trace_percent)
    return {
        "random_sampling": {"value": 100 if settings.otlp_endpoint else 0},
        "spawn_upstream_span": False,
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": any_of("config.trace.v3.OpenTelemetryConfig", **config),
        },
    }


def _parent_based(percent: float) -> Json:
    share = {"numerator": round(percent * 10_000), "denominator": "MILLION"}
    ratio = typed(
        "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
        f"{_SAMPLERS}.TraceIdRatioBasedSamplerConfig",
        sampling_percentage=share,
    )
    return typed(
        "envoy.tracers.opentelemetry.samplers.parent_based",
        f"{_SAMPLERS}.ParentBasedSamplerConfig",
        wrapped_sampler=ratio,
    )
