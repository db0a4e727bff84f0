"""Settings, cursors, addresses, limits' declaration, metrics and traces: the small parts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import pytest
from aiohttp.test_utils import make_mocked_request
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, get_current_span
from prometheus_client import REGISTRY, generate_latest
from pydantic_settings import SettingsConfigDict

from chassis.http import RateLimit, RouteError, Routes, View, make_app
from chassis.http.addresses import Addresses
from chassis.ids import parse_uuid
from chassis.paging import CursorInvalidError, Cursors
from chassis.production import Outside
from chassis.settings import ServiceSettings, load_settings
from chassis.telemetry import tracing
from testkit.serving import serving


class ShopSettings(ServiceSettings):
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="SHOP_", frozen=True)


GOOD = {
    "SHOP_ENVIRONMENT": "test",
    "SHOP_HTTP_PORT": "1",
    "SHOP_OPS_PORT": "2",
    "SHOP_DATABASE_DSN": "postgresql://u:hunter2@h/d",
    "SHOP_REDIS_URL": "redis://h",
    "SHOP_KAFKA_BOOTSTRAP": "h:1",
    "SHOP_JWKS_URL": "http://h/jwks.json",
    "SHOP_CURSOR_SECRET": "sixteen characters or more",
}


def _given(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    for name, value in {**GOOD, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def test_settings_come_from_the_environment_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    _given(monkeypatch)
    settings = load_settings(ShopSettings)
    assert (settings.http_port, settings.database_schema) == (1, "shop")
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.http_port = 3


class MailSettings(ServiceSettings):
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="SHOP_", frozen=True)
    sms_base_url: Annotated[str, Outside()] = "https://sms.provider.net"
    smtp_host: Annotated[str, Outside()] = "mail.provider.net"


PRODUCTION: dict[str, str | None] = {
    "SHOP_ENVIRONMENT": "production",
    "SHOP_REDIS_URL": "redis://shop:hunter2@h",
    "SHOP_KAFKA_USERNAME": "shop",
    "SHOP_KAFKA_PASSWORD": "hunter2",
}


def test_production_starts_with_what_is_fit_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _given(monkeypatch, **PRODUCTION, SHOP_SMS_BASE_URL="https://x.net", SHOP_SMTP_HOST="10.1.2.3")
    assert load_settings(MailSettings).environment == "production"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SHOP_KAFKA_USERNAME": None}, "SHOP_KAFKA_USERNAME is missing."),
        ({"SHOP_KAFKA_PASSWORD": None}, "SHOP_KAFKA_PASSWORD is missing."),
        ({"SHOP_REDIS_URL": "redis://:hunter2@h"}, "SHOP_REDIS_URL is wrong: it names no user"),
        ({"SHOP_REDIS_URL": "redis://shop@h"}, "SHOP_REDIS_URL is wrong: it names no user"),
        ({"SHOP_DATABASE_DSN": "postgresql://h/d"}, "SHOP_DATABASE_DSN is wrong: it names no user"),
        ({"SHOP_DATABASE_DSN": "postgresql://u:test-only@h/d"}, "SHOP_DATABASE_DSN is wrong: it is a value for tests"),
        ({"SHOP_CURSOR_SECRET": "test-only-hunter2-of-32"}, "SHOP_CURSOR_SECRET is wrong: it is a value for tests"),
        ({"SHOP_KAFKA_PASSWORD": "Sandbox-hunter2"}, "SHOP_KAFKA_PASSWORD is wrong: it is a value for tests"),
        ({"SHOP_SMTP_HOST": "127.0.0.1"}, "SHOP_SMTP_HOST is wrong: it is an address of this machine"),
        ({"SHOP_SMTP_HOST": "::1"}, "SHOP_SMTP_HOST is wrong: it is an address of this machine"),
        ({"SHOP_SMTP_HOST": "localhost."}, "SHOP_SMTP_HOST is wrong: it is an address of this machine"),
        ({"SHOP_SMTP_HOST": "sandbox"}, "SHOP_SMTP_HOST is wrong: the sandbox does not exist in production"),
        ({"SHOP_SMS_BASE_URL": "http://127.0.0.1:18190"}, "SHOP_SMS_BASE_URL is wrong: it is an address of this"),
        ({"SHOP_SMS_BASE_URL": "https://a.sandbox-2.net"}, "SHOP_SMS_BASE_URL is wrong: the sandbox does not"),
        ({"SHOP_SMS_BASE_URL": "http://sms.provider.net"}, "SHOP_SMS_BASE_URL is wrong: in production it begins"),
    ],
)
def test_production_refuses_what_is_for_tests_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changes: dict[str, str | None], sentence: str
) -> None:
    _given(monkeypatch, **{**PRODUCTION, **changes})
    with pytest.raises(SystemExit):
        load_settings(MailSettings)
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert "hunter" not in said
    _given(monkeypatch, **{**PRODUCTION, **changes, "SHOP_ENVIRONMENT": "local"})
    load_settings(MailSettings)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SHOP_DATABASE_DSN": None}, "SHOP_DATABASE_DSN is missing."),
        ({"SHOP_DATABASE_DSN": ""}, "SHOP_DATABASE_DSN is missing."),
        ({"SHOP_HTTP_PORT": "eighty"}, "SHOP_HTTP_PORT is wrong: input should be a valid integer"),
        ({"SHOP_HTTP_PORT": "70000"}, "SHOP_HTTP_PORT is wrong: input should be less than or equal to 65535."),
        ({"SHOP_ENVIRONMENT": None}, "SHOP_ENVIRONMENT is missing."),
        ({"SHOP_ENVIRONMENT": "prod"}, "SHOP_ENVIRONMENT is wrong: input should be 'local', 'test' or 'production'."),
        ({"SHOP_CURSOR_SECRET": "hunter3"}, "SHOP_CURSOR_SECRET is wrong: "),
        ({"SHOP_REDIS_URL": None, "SHOP_JWKS_URL": None}, "SHOP_REDIS_URL is missing; SHOP_JWKS_URL is missing."),
    ],
)
def test_a_setting_at_fault_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changes: dict[str, str | None], sentence: str
) -> None:
    _given(monkeypatch, **changes)
    with pytest.raises(SystemExit) as ended:
        load_settings(ShopSettings)
    said = capsys.readouterr().err
    assert ended.value.code == 78
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert "hunter" not in said


def test_cursors_come_back_as_they_were() -> None:
    cursors = Cursors("secret")
    moment, ident = datetime(2026, 1, 1, tzinfo=UTC), uuid.uuid4()
    cursor = cursors.encode((moment, ident, 7, "ข้าว", None), scope="orders")
    assert cursors.decode(cursor, scope="orders") == (moment.isoformat(), str(ident), 7, "ข้าว", None)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_cursors_of_others_are_refused() -> None:
    cursors = Cursors("secret")
    cursor = cursors.encode((1,), scope="orders")
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for other in (
        changed,
        cursor[1:],
        cursor[:-4],
        "",
        "x",
        "ก",
        "=" * 10,
        "A" * 3000,
        Cursors("other").encode((1,), scope="orders"),
    ):
        with pytest.raises(CursorInvalidError):
            cursors.decode(other, scope="orders")
    with pytest.raises(CursorInvalidError):
        cursors.decode(cursor, scope="products")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("127.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("127.0.0.1", "spoofed", "unknown"),
        ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_clients_address(peer: str, forwarded: str | None, client: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert Addresses("127.0.0.0/8,10.0.0.0/8").client_of(request) == client  # type: ignore[arg-type]


def test_a_limit_is_per_user_or_per_address() -> None:
    assert RateLimit("x", per_address=3).quota == 3
    for wrong in ({}, {"per_user": 1, "per_address": 1}):
        with pytest.raises(RouteError):
            RateLimit("x", **wrong)


@pytest.mark.parametrize("text", ["", "x", "0190b7a0000070008000000000000001", "{0190b7a0-0000-7000-8000-00000000000}"])
def test_only_canonical_uuids_are_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_uuid(text)
    made = uuid.uuid4()
    assert (parse_uuid(str(made)), hash(parse_uuid(str(made)))) == (made, hash(made))


class Echo(View):
    trace_id: str
    sampled: bool


routes = Routes(tag="traced")


@routes.get("/v1/traced/{name}", auth="public")
async def traced(name: str) -> Echo:
    span = get_current_span().get_span_context()
    if name == "fails":
        raise ZeroDivisionError
    return Echo(trace_id=f"{span.trace_id:032x}", sampled=span.trace_flags.sampled)


TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_the_callers_trace_goes_on_without_an_exporter() -> None:
    async with serving(make_app("traced", [routes], app=None, access_log=False)) as call:
        for flags, sampled in (("01", True), ("00", False)):
            answer = await call(
                "GET", "/v1/traced/x", headers={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-{flags}"}
            )
            assert answer.json == {"trace_id": TRACE_ID, "sampled": sampled}
        first, second = [(await call("GET", "/v1/traced/x")).json["trace_id"] for _ in range(2)]
        assert len({first, second, "0" * 32}) == 3


async def test_spans_are_exported_under_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_tracer", None)
    monkeypatch.setattr(tracing.trace, "set_tracer_provider", lambda _: None)
    provider = tracing.configure_tracing("traced", endpoint=None, exporter=exporter)
    assert provider is not None
    async with serving(make_app("traced", [routes], app=None, access_log=False)) as call:
        sampled = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
        assert (await call("GET", "/v1/traced/x", headers=sampled)).json["trace_id"] == TRACE_ID
        await call("GET", "/v1/traced/fails", headers=sampled)
        await call("GET", "/v1/traced/x", headers={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-00"})
    provider.force_flush()
    spans = exporter.get_finished_spans()
    provider.shutdown()
    assert [span.name for span in spans] == ["GET /v1/traced/{name}"] * 2
    for span in spans:
        assert span.kind is SpanKind.SERVER
        assert span.parent is not None
        assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert [dict(span.attributes or {})["http.response.status_code"] for span in spans] == [200, 500]
    assert not spans[1].status.is_ok


async def test_metrics_are_by_template_and_bounded() -> None:
    async with serving(make_app("traced", [routes], app=None, access_log=False)) as call:
        for number in range(20):
            await call("GET", f"/v1/traced/name-{number}")
            await call("GET", f"/nothing/{number}")
    told = generate_latest(REGISTRY).decode()
    assert 'http_server_request_duration_seconds_count{method="GET",route="/v1/traced/{name}",status="200"}' in told
    assert "name-1" not in told
    assert "/nothing" not in told
    line = next(each for each in told.splitlines() if 'route="unmatched",status="404"' in each and "_count" in each)
    assert float(line.rsplit(" ", maxsplit=1)[-1]) >= 20


async def test_access_lines_are_whole(capfd: pytest.CaptureFixture[str]) -> None:
    import orjson  # noqa: PLC0415

    async with serving(make_app("traced", [routes], app=None)) as call:
        await call("GET", "/v1/traced/somchai@example.com", headers={"X-Request-Id": "request-1"})

    def lines() -> list[Any]:
        generate_latest(REGISTRY)
        return [orjson.loads(line) for line in capfd.readouterr().out.splitlines() if "http.request" in line]

    (line,) = lines()
    assert line["route"] == "/v1/traced/{name}"
    assert (line["method"], line["status"], line["request_id"]) == ("GET", 200, "request-1")
    assert line["bytes"] > 0
    assert "somchai" not in str(line)
