"""The HTTP filters in their order: each request passes them from first to last, each response from last to first."""

from __future__ import annotations

from typing import Final

from gateway.envoy.typed import Json, any_of, header, seconds, typed
from gateway.settings import Settings
from gateway.table import Limits

JWT: Final = "envoy.filters.http.jwt_authn"
COMPRESSOR: Final = "envoy.filters.http.compressor"
BUFFER: Final = "envoy.filters.http.buffer"
CORS: Final = "envoy.filters.http.cors"
RATE_LIMIT: Final = "envoy.filters.http.local_ratelimit"
ROUTER: Final = "envoy.filters.http.router"
PROVIDER: Final = "sampan"
JWKS_PATH: Final = "/.well-known/jwks.json"
JWKS_CACHE_S: Final = 60  # auth publishes a key longer than this before it signs with it
TOKENS_CACHED: Final = 10_000
ADDRESSES_TRACKED: Final = 10_000
HEALTH_PATH: Final = "/healthz"

_ALLOWED_HEADERS: Final = (
    "authorization", "content-type", "accept-language", "idempotency-key", "if-match", "if-none-match", "traceparent",
    "tracestate", "range", "if-range", "tus-resumable", "upload-offset", "upload-checksum",
)  # fmt: skip
_EXPOSED_HEADERS: Final = (
    "x-request-id", "location", "etag", "retry-after", "ratelimit", "ratelimit-policy", "idempotency-replayed",
    "deprecation", "sunset", "www-authenticate", "tus-resumable", "tus-version", "upload-offset", "upload-length",
    "accept-ranges", "content-range", "content-disposition",
)  # fmt: skip


def http_filters(settings: Settings, limits: Limits) -> list[Json]:
    """All filters; the router, which sends the request on, is last."""
    return [
        _health(),
        typed(CORS, "extensions.filters.http.cors.v3.Cors"),
        _rate_limit(settings),
        _jwt(settings),
        typed(BUFFER, "extensions.filters.http.buffer.v3.Buffer", max_request_bytes=limits.body_bytes_max),
        _compressor(),
        typed(ROUTER, "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True),
    ]


def cors_policy(settings: Settings) -> Json:
    """Which web origins a browser may call from. Tokens travel in a header, so no cookies are allowed."""
    return {
        CORS: any_of(
            "extensions.filters.http.cors.v3.CorsPolicy",
            allow_origin_string_match=[{"exact": origin} for origin in settings.cors_origins],
            allow_methods="GET, HEAD, POST, PUT, PATCH, DELETE",
            allow_headers=", ".join(_ALLOWED_HEADERS),
            expose_headers=", ".join(_EXPOSED_HEADERS),
            max_age="600",
            allow_credentials=False,
        )
    }


def no_compression() -> Json:
    """For answers of services: they compress their own where it pays, and Envoy drops the tag of what it compresses."""
    return {COMPRESSOR: any_of("extensions.filters.http.compressor.v3.CompressorPerRoute", disabled=True)}


def no_token() -> Json:
    """A route's opt-out of the token check."""
    return {JWT: any_of("extensions.filters.http.jwt_authn.v3.PerRouteConfig", disabled=True)}


def body_limit(bytes_max: int) -> Json:
    return {BUFFER: any_of("extensions.filters.http.buffer.v3.BufferPerRoute", buffer={"max_request_bytes": bytes_max})}


def no_body_buffer() -> Json:
    return {BUFFER: any_of("extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True)}


def _health() -> Json:
    """What a load balancer asks: 200 while serving, 503 once draining has begun."""
    return typed(
        "envoy.filters.http.health_check",
        "extensions.filters.http.health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": HEALTH_PATH}}],
    )


def _rate_limit(settings: Settings) -> Json:
    return typed(
        RATE_LIMIT,
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="gateway",
        token_bucket=_bucket(settings.rate_per_s),
        filter_enabled=_always("gateway.rate_limit.enabled"),
        filter_enforced=_always("gateway.rate_limit.enforced"),
        rate_limits=[{"actions": [{"remote_address": {}}]}],
        # No value in the entry: every address gets a bucket of its own, the longest unused is forgotten.
        descriptors=[
            {"entries": [{"key": "remote_address"}], "token_bucket": _bucket(settings.rate_per_address_per_s)}
        ],
        max_dynamic_descriptors=ADDRESSES_TRACKED,
        always_consume_default_token_bucket=True,
    )


def _bucket(per_s: int) -> Json:
    """So many a second, and twice that many at once after a pause. Refilled ten times a second."""
    fill = max(1, per_s // 10)
    interval_s = 0.1 if per_s >= 10 else 1 / per_s
    return {"max_tokens": per_s * 2, "tokens_per_fill": fill, "fill_interval": f"{interval_s:.3f}s"}


def _always(key: str) -> Json:
    return {"runtime_key": key, "default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _jwt(settings: Settings) -> Json:
    """Signature, issuer, audience and times of the access token; the token goes on to the service."""
    provider = {
        "issuer": settings.jwt_issuer,
        "audiences": [settings.jwt_audience],
        "forward": True,
        # Named, because the default also reads a query parameter, which would end up in logs.
        # Schemes have no case (RFC 9110), but prefixes have: these are the ways that are written.
        "from_headers": [
            {"name": "authorization", "value_prefix": f"{each} "} for each in ("Bearer", "bearer", "BEARER")
        ],
        "clock_skew_seconds": 5,
        "require_expiration": True,
        "remote_jwks": {
            "http_uri": {"uri": f"http://auth{JWKS_PATH}", "cluster": "auth", "timeout": "2s"},
            "cache_duration": seconds(JWKS_CACHE_S),
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
        },
        "jwt_cache_config": {"jwt_cache_size": TOKENS_CACHED},
    }
    return typed(
        JWT,
        "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={PROVIDER: provider},
        # Whatever a route forgets to say, a path of the API needs a token.
        rules=[{"match": {"prefix": "/v1/"}, "requires": {"provider_name": PROVIDER}}],
        bypass_cors_preflight=True,
    )


def _compressor() -> Json:
    types = [
        "application/json", "application/problem+json", "text/html", "text/css", "text/javascript", "image/svg+xml",
    ]  # fmt: skip
    return typed(
        COMPRESSOR,
        "extensions.filters.http.compressor.v3.Compressor",
        compressor_library=typed(
            "gzip",
            "extensions.compression.gzip.compressor.v3.Gzip",
            memory_level=5,
            compression_level="COMPRESSION_LEVEL_3",
            window_bits=12,
        ),
        response_direction_config={"common_config": {"min_content_length": 1024, "content_type": types}},
    )


def security_headers(settings: Settings) -> list[Json]:
    """On every response."""
    headers = [header("x-content-type-options", "nosniff"), header("referrer-policy", "no-referrer")]
    if settings.tls_certificate_file is not None:
        headers.append(header("strict-transport-security", "max-age=31536000"))
    return headers
